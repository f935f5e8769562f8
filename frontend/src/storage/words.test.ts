import { describe, expect, it } from "vitest";
import type { Disk, Snapshot } from "../api/types";
import { ago, enumerate, losses, tagProblem } from "./words";

const SNAPSHOT: Snapshot = {
  tag: "before",
  created: 1000,
  memory: true,
  consistency: "memory",
  disks: ["disk0", "disk1"],
};
const DISKS = ["disk0", "disk1", "disk2"].map((name) => ({ name }) as Disk);

describe("losses", () => {
  it("says what is lost, and how a running guest goes on", () => {
    const [lost, next, others] = losses(SNAPSHOT, "ready", DISKS);
    expect(lost).toMatch(/written to disk0 and disk1 since .* is lost.*old size/);
    expect(next).toContain("goes on from that moment");
    expect(others).toBe("disk2 is not in it and will not change.");
  });

  it("says that a machine that is off does not go on from memory", () => {
    expect(losses(SNAPSHOT, "stopped", null)).toHaveLength(2);
    expect(losses(SNAPSHOT, "stopped", null)[1]).toContain("while the machine runs");
    expect(losses({ ...SNAPSHOT, memory: false }, "stopped", null)[1]).not.toContain("memory");
  });
});

describe("tagProblem", () => {
  it.each(["", "a", "2026-01-01", `a${"b".repeat(62)}`])("takes %j", (tag) => {
    expect(tagProblem(tag, [SNAPSHOT])).toBeNull();
  });

  it.each([".a", "a b", "ü", "a/b", `a${"b".repeat(63)}`])("refuses %j", (tag) => {
    expect(tagProblem(tag, [])).toContain("Letters");
  });

  it("refuses a name that is taken", () => {
    expect(tagProblem("before", [SNAPSHOT])).toContain("already");
  });
});

it("times and names read well", () => {
  expect(ago(1000, 1030)).toBe("just now");
  expect(ago(1000, 1000 + 200)).toBe("3 min ago");
  expect(ago(1000, 1000 + 3700)).toBe("1 h ago");
  expect(ago(1000, 1000 + 3 * 86400)).toBe("3 days ago");
  expect(enumerate(["a"])).toBe("a");
  expect(enumerate(["a", "b", "c"])).toBe("a, b and c");
});
