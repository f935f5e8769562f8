import { expect, it } from "vitest";
import { fileName } from "./save";

it("names files by machine and local time", () => {
  expect(fileName("debian", "png", new Date(2026, 0, 31, 17, 5, 9))).toBe("debian-2026-01-31-17-05-09.png");
});
