import { describe, expect, it } from "vitest";
import { plainText } from "./plain";

describe("plainText", () => {
  it.each([
    ["\u001b[0;32m[  OK  ]\u001b[0m Started\r\n", "[  OK  ] Started\n"],
    ["\u001b]0;title\u0007a\u001b]2;t\u001b\\b", "ab"],
    ["\u001bc\u001b(Bx\u001b[?25l", "x"],
    ["a\tb\u0000\u0008c\r\r\n", "a\tbc\n"],
    ["grün\n", "grün\n"],
  ])("case %#", (log, text) => expect(plainText(log)).toBe(text));
});
