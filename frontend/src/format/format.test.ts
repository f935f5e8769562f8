import { describe, expect, it } from "vitest";
import { amount, bytes, count, duration, percent, rate } from "./format";

describe("bytes", () => {
  it.each([
    [0, "0 B"],
    [512, "512 B"],
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [1536, "1.5 KiB"],
    [10.26 * 1024, "10.3 KiB"],
    [1024 * 1024 - 1, "1 MiB"],
    [2 * 2 ** 30, "2 GiB"],
    [2 ** 60, "1024 PiB"],
    [-1, "–"],
    [Number.NaN, "–"],
  ])("%d is %s", (value, text) => expect(bytes(value)).toBe(text));
});

describe("duration", () => {
  it.each([
    [-3, "0 s"],
    [0.04, "0 s"],
    [4.23, "4.2 s"],
    [9.97, "10 s"],
    [59.4, "59 s"],
    [59.6, "1 min 0 s"],
    [65, "1 min 5 s"],
    [3661, "1 h 1 min"],
    [90_000, "1 d 1 h"],
  ])("%d is %s", (value, text) => expect(duration(value)).toBe(text));
});

describe("amount", () => {
  it("says what is done of what", () => {
    expect(amount(null, 5, "bytes")).toBe("");
    expect(amount(1024, 2048, "bytes")).toBe("1 KiB of 2 KiB");
    expect(amount(1024, null, "bytes")).toBe("1 KiB");
    expect(amount(3, 5, "steps")).toBe("3 of 5");
    expect(amount(3, 5, "packages")).toBe("3 of 5 packages");
  });
});

it("has units for rates, percentages and nouns", () => {
  expect(rate(2048)).toBe("2 KiB/s");
  expect(rate(Number.NaN)).toBe("–");
  expect(percent(3.14)).toBe("3.1 %");
  expect(percent(99.6)).toBe("100 %");
  expect(count(1, "CPU")).toBe("1 CPU");
  expect(count(2, "CPU")).toBe("2 CPUs");
});
