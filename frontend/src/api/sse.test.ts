import { describe, expect, it } from "vitest";
import { SseParser } from "./sse";

describe("SseParser", () => {
  it("reads id, type and data", () => {
    const messages = new SseParser().push('id: 7\nevent: state\ndata: {"a":1}\n\n');
    expect(messages).toEqual([{ id: "7", type: "state", data: '{"a":1}' }]);
  });

  it("gives the same events however the stream is cut", () => {
    const stream =
      "id: 1\r\nevent: step\r\ndata: a\r\ndata: b\r\n\r\n: comment\r\n\r\nid: 2\r\ndata:c\r\n\r\n";
    const whole = new SseParser().push(stream);
    expect(whole).toEqual([
      { id: "1", type: "step", data: "a\nb" },
      { id: "2", type: "message", data: "c" },
    ]);
    for (let size = 1; size < 8; size += 1) {
      const parser = new SseParser();
      const pieces = stream.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
      expect(pieces.flatMap((piece) => parser.push(piece))).toEqual(whole);
    }
  });

  it("keeps the id for events that bring none and drops events without data", () => {
    const parser = new SseParser();
    expect(parser.push("id: 3\n\n")).toEqual([]);
    expect(parser.push("data: x\n\n")).toEqual([{ id: "3", type: "message", data: "x" }]);
  });

  it("holds back an event that is not complete", () => {
    const parser = new SseParser();
    expect(parser.push("data: x\n")).toEqual([]);
    expect(parser.push("\n")).toHaveLength(1);
  });
});
