import { describe, expect, it } from "vitest";
import { areaPath, type Frame, linePath, nearest, niceMax, runs, xOf, yOf } from "./scale";

const FRAME: Frame = { end: 100, span: 100, max: 10, width: 200, height: 50 };
const at = (time: number, value: number) => ({ time, value });

describe("niceMax", () => {
  it.each([
    [0, 1],
    [Number.NaN, 1],
    [1, 1],
    [1.1, 2],
    [42, 50],
    [99, 100],
    [1000, 1000],
  ])("%d fits below %d", (value, max) => expect(niceMax(value)).toBe(max));

  it("takes powers of two for bytes", () => {
    expect(niceMax(64 * 1024, 1024)).toBe(64 * 1024);
    expect(niceMax(65 * 1024, 1024)).toBe(128 * 1024);
    expect(niceMax(2 ** 20 + 1, 1024)).toBe(2 ** 21);
    expect(niceMax(1023 * 1024, 1024)).toBe(2 ** 20);
  });
});

describe("coordinates", () => {
  it("put the newest at the right and the greatest on top", () => {
    expect(xOf(100, FRAME)).toBe(200);
    expect(xOf(0, FRAME)).toBe(0);
    expect(yOf(10, FRAME)).toBe(0);
    expect(yOf(0, FRAME)).toBe(50);
  });

  it("stay inside the chart", () => {
    expect(yOf(99, FRAME)).toBe(0);
    expect(yOf(-1, FRAME)).toBe(50);
  });
});

describe("paths", () => {
  const points = [at(0, 0), at(50, 10), at(100, 5)];

  it("draw a line and the area below it", () => {
    expect(linePath(points, FRAME, 60)).toBe("M0 50L100 0L200 25");
    expect(areaPath(points, FRAME, 60)).toBe("M0 50L0 50L100 0L200 25L200 50Z");
  });

  it("break where samples are missing", () => {
    expect(runs(points, 10)).toHaveLength(3);
    expect(linePath(points, FRAME, 10)).toBe("M0 50M100 0M200 25");
  });

  it("are empty without samples", () => {
    expect(linePath([], FRAME, 10)).toBe("");
    expect(areaPath([], FRAME, 10)).toBe("");
  });
});

describe("nearest", () => {
  it("finds the sample below the pointer", () => {
    expect(nearest([at(0, 1), at(10, 2)], 6)?.value).toBe(2);
    expect(nearest([], 6)).toBeNull();
  });
});
