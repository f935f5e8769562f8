import { describe, expect, it } from "vitest";
import { COMBINATIONS, sendCombination } from "./keys";

const all = COMBINATIONS.flatMap((group) => group.items);

describe("combinations", () => {
  it("have names of their own", () => {
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it("are released in reverse order, so that no key stays down", () => {
    const sent: string[] = [];
    const keys = all.find(({ id }) => id === "ctrl-alt-f2")?.keys ?? [];
    sendCombination(keys, (keysym, code, down) =>
      sent.push(`${down ? "+" : "-"}${code}:${keysym.toString(16)}`),
    );
    expect(sent).toEqual([
      "+ControlLeft:ffe3",
      "+AltLeft:ffe9",
      "+F2:ffbf",
      "-F2:ffbf",
      "-AltLeft:ffe9",
      "-ControlLeft:ffe3",
    ]);
  });
});
