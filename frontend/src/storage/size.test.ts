import { describe, expect, it } from "vitest";
import { amountFor, readSize, UNITS, unitFor } from "./size";

const { MiB, GiB, TiB } = UNITS;

describe("readSize", () => {
  it.each([
    ["21", "GiB", 21 * GiB],
    [" 20.5 ", "GiB", 20.5 * GiB],
    ["20,5", "GiB", 20.5 * GiB],
    ["1", "TiB", TiB],
  ] as const)("takes %j %s", (amount, unit, size) => {
    expect(readSize(amount, unit, 20 * GiB)).toEqual({ size, problem: null });
  });

  it.each([
    ["20", "GiB", "only grow: more than 20 GiB"],
    ["21", "MiB", "only grow"],
    ["-5", "TiB", "only grow"],
    ["", "GiB", "no number"],
    ["much", "GiB", "no number"],
    ["1e300", "GiB", "so large"],
  ] as const)("refuses %j %s", (amount, unit, words) => {
    const wish = readSize(amount, unit, 20 * GiB);
    expect(wish.size).toBeNull();
    expect(wish.problem).toContain(words);
  });
});

it("begins with the present size in a unit that fits", () => {
  expect([unitFor(48 * MiB), unitFor(20 * GiB), unitFor(3 * TiB)]).toEqual(["MiB", "GiB", "TiB"]);
  expect(amountFor(20 * GiB, "GiB")).toBe("20");
  expect(amountFor(20 * GiB + 1, "GiB")).toBe("20.01");
});
