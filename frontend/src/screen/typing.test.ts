import { describe, expect, it } from "vitest";
import { keysymOf, strokeOf, strokesOf, typeText, unusual } from "./typing";

function record() {
  const sent: string[] = [];
  const send = (keysym: number, code: string | null, down: boolean) => {
    sent.push(`${down ? "+" : "-"}${code ?? keysym.toString(16)}`);
  };
  return { sent, send };
}

const OPTIONS = { pace: 1, wait: async () => undefined, onProgress: () => undefined };

describe("strokeOf", () => {
  it("presses Shift for capitals and the upper signs of a US keyboard", () => {
    expect(strokeOf("a")).toEqual({ keysym: 0x61, code: "KeyA", shift: false });
    expect(strokeOf("A")).toEqual({ keysym: 0x41, code: "KeyA", shift: true });
    expect(strokeOf("1")).toEqual({ keysym: 0x31, code: "Digit1", shift: false });
    expect(strokeOf("!")).toEqual({ keysym: 0x21, code: "Digit1", shift: true });
    expect(strokeOf("?")).toEqual({ keysym: 0x3f, code: "Slash", shift: true });
    expect(strokeOf(" ")).toEqual({ keysym: 0x20, code: "Space", shift: false });
  });

  it("knows a key for each printable ASCII character", () => {
    const all = Array.from({ length: 95 }, (_, at) => String.fromCharCode(0x20 + at));
    expect(all.filter((character) => strokeOf(character).code === null)).toEqual([]);
    const keys = all.map(strokeOf).map(({ code, shift }) => `${code} ${shift}`);
    expect(new Set(keys).size).toBe(95);
  });

  it("leaves characters without a key to their keysym", () => {
    expect(strokeOf("ä")).toEqual({ keysym: 0xe4, code: null, shift: false });
    expect(strokeOf("ſ").code).toBeNull();
  });
});

describe("keysymOf", () => {
  it("is Latin-1 as it is and Unicode above 0x01000000", () => {
    expect(keysymOf("é")).toBe(0xe9);
    expect(keysymOf("€")).toBe(0x010020ac);
    expect(keysymOf("😀")).toBe(0x0101f600);
  });
});

describe("strokesOf", () => {
  it("types each kind of line end as one Enter and drops other control characters", () => {
    expect(strokesOf("a\r\nb\rc\n\u0007\t").map(({ code }) => code)).toEqual([
      "KeyA",
      "Enter",
      "KeyB",
      "Enter",
      "KeyC",
      "Enter",
      "Tab",
    ]);
  });

  it("does not cut characters beyond the first plane in two", () => {
    expect(strokesOf("😀")).toHaveLength(1);
  });
});

describe("unusual", () => {
  it("names each character that may get lost once", () => {
    expect(unusual("aä€ä\n~")).toEqual(["ä", "€"]);
  });
});

describe("typeText", () => {
  it("presses and releases in order", async () => {
    const { sent, send } = record();
    const whole = await typeText("aB\n", send, { ...OPTIONS, signal: new AbortController().signal });
    expect(whole).toBe(true);
    expect(sent.join(" ")).toBe("+KeyA -KeyA +ShiftLeft +KeyB -KeyB -ShiftLeft +Enter -Enter");
  });

  it("waits twice as long for two keys and reports how far it is", async () => {
    const waits: number[] = [];
    const progress: string[] = [];
    await typeText("aB", () => undefined, {
      pace: 10,
      signal: new AbortController().signal,
      wait: async (milliseconds) => void waits.push(milliseconds),
      onProgress: (typed, total) => progress.push(`${typed}/${total}`),
    });
    expect(waits).toEqual([10, 20]);
    expect(progress).toEqual(["1/2", "2/2"]);
  });

  it("stops between two characters, never with a key held", async () => {
    const { sent, send } = record();
    const controller = new AbortController();
    const wait = async () => controller.abort();
    const whole = await typeText("AB", send, { ...OPTIONS, wait, signal: controller.signal });
    expect(whole).toBe(false);
    expect(sent).toEqual(["+ShiftLeft", "+KeyA", "-KeyA", "-ShiftLeft"]);
  });
});
