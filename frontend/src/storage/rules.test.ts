import { describe, expect, it } from "vitest";
import type { Disk, MachineState, Snapshot } from "../api/types";
import { LOOKS } from "../shell/states";
import { blocked, createBlocked, disksAreKnown, isLive, memoryBlocked, restoreBlocked } from "./rules";

const STATES = Object.keys(LOOKS) as MachineState[];
const OPEN = { offline: false, pending: false, operation: null };
const DISK: Disk = { disk: 0, name: "disk0", format: "qcow2", size: 1, used: 1, snapshots: true, path: null };
const SNAPSHOT: Snapshot = { tag: "a", created: 1, memory: false, consistency: "crash", disks: ["disk0"] };

function reason(state: MachineState, rest: object = {}, view_only = false) {
  return blocked({ ...OPEN, machine: { state, view_only }, ...rest });
}

describe("blocked", () => {
  it("lets the owner work on disks that QEMU or nobody has open", () => {
    const possible = STATES.filter((state) => reason(state) === null);
    expect(possible).toEqual(["running", "ready", "paused", "stopped", "crashed", "panicked", "io-error"]);
    expect(STATES.filter(disksAreKnown)).toEqual(possible);
  });

  it("gives the reason that matters most", () => {
    expect(reason("starting", { offline: true }, true)).toContain("for watching");
    expect(reason("starting", { offline: true })).toContain("does not answer");
    expect(reason("ready", { pending: true })).toContain("under way");
    expect(reason("ready", { operation: { what: "", started: null, done: null, total: null } })).toContain(
      "under way",
    );
  });
});

describe("createBlocked", () => {
  it("names the disk that cannot hold snapshots, and why", () => {
    expect(createBlocked([DISK])).toBeNull();
    expect(createBlocked(null)).toBeNull();
    expect(createBlocked([])).toContain("no disk");
    const other = { ...DISK, name: "disk1", snapshots: false };
    expect(createBlocked([DISK, { ...other, format: "raw" }])).toContain(
      "disk1 cannot hold snapshots: its format is raw",
    );
    expect(createBlocked([DISK, other])).toContain("used in place");
  });
});

it("memory is kept of, and brought back to, a machine that runs", () => {
  expect(STATES.filter(isLive)).toEqual(["running", "ready", "paused", "panicked", "io-error"]);
  expect(memoryBlocked("ready")).toBeNull();
  expect(memoryBlocked("stopped")).toContain("no memory");
  expect(restoreBlocked(SNAPSHOT, "ready")).toContain("stop the machine first");
  expect(restoreBlocked({ ...SNAPSHOT, memory: true }, "ready")).toBeNull();
  expect(restoreBlocked(SNAPSHOT, "stopped")).toBeNull();
});
