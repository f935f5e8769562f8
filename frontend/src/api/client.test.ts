import { describe, expect, it } from "vitest";
import { apiUrl, socketUrl } from "./client";

describe("addresses", () => {
  it("are relative to the page, so that a prefix is kept", () => {
    expect(apiUrl("machine", "http://127.0.0.1:8006/")).toBe("http://127.0.0.1:8006/api/v1/machine");
    expect(apiUrl("machine", "https://host/vm/debian/")).toBe("https://host/vm/debian/api/v1/machine");
  });

  it("of sockets follow the page's scheme", () => {
    expect(socketUrl("vnc", "http://127.0.0.1:8006/")).toBe("ws://127.0.0.1:8006/api/v1/vnc");
    expect(socketUrl("vnc", "https://host/")).toBe("wss://host/api/v1/vnc");
  });
});
