import { describe, expect, it } from "vitest";
import { ApiError } from "./client";
import { type Connection, decode, EventStream, retryDelay, type StreamWorld } from "./event-stream";
import type { MachineEvent } from "./types";

type Answer = string | Error;

function frame(id: number): string {
  return `id: ${id}\nevent: message\ndata: {"time":${id},"level":"info","text":"m${id}"}\n\n`;
}

function refused(status: number): ApiError {
  return new ApiError(status, { key: "x", message: "x", reason: "", hint: "", exit_code: 1 });
}

/** Answers each connection in turn, then stops the stream. */
async function follow(answers: Answer[]) {
  const seen = {
    ids: [] as number[],
    asked: [] as number[],
    opened: [] as boolean[],
    connections: [] as Connection[],
  };
  const rest = [...answers];
  const world: StreamWorld = {
    now: () => 0,
    sleep: async () => {
      if (rest.length === 0) stream.stop();
    },
    connect: async (lastId) => {
      seen.asked.push(lastId);
      const answer = rest.shift();
      if (answer instanceof Error) throw answer;
      return new Response(answer ?? "");
    },
  };
  const stream: EventStream = new EventStream(
    {
      onOpen: (resumed) => seen.opened.push(resumed),
      onEvent: (event: MachineEvent) => seen.ids.push(event.id),
      onConnection: (connection) => seen.connections.push(connection),
    },
    world,
  );
  await stream.run();
  return seen;
}

describe("EventStream", () => {
  it("resumes after the last event it saw", async () => {
    const seen = await follow([frame(1) + frame(2), frame(3)]);
    expect(seen.ids).toEqual([1, 2, 3]);
    expect(seen.asked).toEqual([0, 2]);
    expect(seen.opened).toEqual([false, true]);
  });

  it("asks for the whole history when the console was away", async () => {
    const seen = await follow([frame(8), refused(0), frame(1)]);
    expect(seen.asked).toEqual([0, 8, 0]);
    expect(seen.opened).toEqual([false, false]);
  });

  it("starts over when the numbers begin anew", async () => {
    const seen = await follow([frame(8), frame(1) + frame(2)]);
    expect(seen.opened).toEqual([false, true, false]);
    expect(seen.ids).toEqual([8, 1, 2]);
  });

  it("reports each failed attempt and waits longer each time", async () => {
    const seen = await follow([refused(0), refused(503), refused(0)]);
    const lost = seen.connections.filter((connection) => connection.kind === "lost");
    expect(lost.map((connection) => connection.attempts)).toEqual([1, 2, 3]);
    expect(lost.map((connection) => connection.retryAt)).toEqual([500, 1000, 2000]);
  });

  it("gives up when the session is refused", async () => {
    const seen = await follow([refused(401), frame(1)]);
    expect(seen.connections.at(-1)).toEqual({ kind: "logged-out" });
    expect(seen.asked).toEqual([0]);
  });
});

describe("retryDelay", () => {
  it("grows to a limit", () => {
    expect([1, 2, 3, 20].map(retryDelay)).toEqual([500, 1000, 2000, 8000]);
  });
});

describe("decode", () => {
  it("ignores types and data that it does not understand", () => {
    expect(decode({ id: "1", type: "future", data: "{}" })).toBeNull();
    expect(decode({ id: "1", type: "state", data: "{" })).toBeNull();
  });
});
