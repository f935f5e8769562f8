import { expect, test, vi } from "vitest";
import { hangUp } from "./hang-up";

class Socket extends EventTarget {
  readonly CONNECTING = 0;
  readyState = 0;
  close = vi.fn();
}

test("an open connection is closed at once", () => {
  const socket = new Socket();
  socket.readyState = 1;
  hangUp(socket as unknown as WebSocket);
  expect(socket.close).toHaveBeenCalledOnce();
});

test("one that is still being opened is closed when it is open", () => {
  const socket = new Socket();
  hangUp(socket as unknown as WebSocket);
  expect(socket.close).not.toHaveBeenCalled();
  socket.dispatchEvent(new Event("open"));
  expect(socket.close).toHaveBeenCalledOnce();
});
