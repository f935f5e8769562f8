import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Reconnect } from "./reconnect";

interface Opened {
  up(): void;
  end(): void;
  closed: boolean;
}

function make() {
  const opened: Opened[] = [];
  const reconnect = new Reconnect((up, end) => {
    const attempt = { up, end, closed: false };
    opened.push(attempt);
    return {
      close: () => {
        attempt.closed = true;
      },
    };
  });
  return { opened, reconnect };
}

describe("Reconnect", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  it("opens again after pauses that grow until a connection works", () => {
    const { opened, reconnect } = make();
    reconnect.start();
    opened[0]?.end();
    vi.advanceTimersByTime(399);
    expect(opened).toHaveLength(1);
    vi.advanceTimersByTime(1);
    opened[1]?.end();
    vi.advanceTimersByTime(800);
    opened[2]?.up();
    opened[2]?.end();
    vi.advanceTimersByTime(400);
    expect(opened).toHaveLength(4);
  });

  it("closes and stays closed when it is stopped", () => {
    const { opened, reconnect } = make();
    reconnect.start();
    reconnect.stop();
    opened[0]?.end();
    vi.advanceTimersByTime(60_000);
    expect(opened).toHaveLength(1);
    expect(opened[0]?.closed).toBe(true);
  });

  it("counts one end only once", () => {
    const { opened, reconnect } = make();
    reconnect.start();
    opened[0]?.end();
    opened[0]?.end();
    vi.advanceTimersByTime(60_000);
    expect(opened).toHaveLength(2);
  });

  it("can be started again", () => {
    const { opened, reconnect } = make();
    reconnect.start();
    reconnect.stop();
    reconnect.start();
    expect(opened).toHaveLength(2);
  });
});
