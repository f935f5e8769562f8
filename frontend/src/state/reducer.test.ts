import { describe, expect, it } from "vitest";
import type { Machine, MachineEvent, MachineState, Sample, StepStatus } from "../api/types";
import { type ConsoleState, INITIAL, mergeSamples, reduce, WINDOW } from "./reducer";

const MACHINE = {
  name: "m",
  state: "running",
  since: 100,
  reason: null,
  steps: [] as Machine["steps"],
} as Machine;

function stateEvent(id: number, time: number, state: MachineState): MachineEvent {
  return { id, type: "state", data: { time, state, reason: "because" } };
}

function stepEvent(id: number, step: string, status: StepStatus, done: number | null = null): MachineEvent {
  return { id, type: "step", data: { time: id, step, status, detail: "", done, total: 10, unit: "bytes" } };
}

function sample(time: number): Sample {
  return { time, cpu: 0, memory: 0, disk_read: 0, disk_write: 0, net_rx: 0, net_tx: 0 };
}

function play(start: ConsoleState, ...events: MachineEvent[]): ConsoleState {
  return events.reduce((state, event) => reduce(state, { type: "event", event }), start);
}

describe("reduce", () => {
  it("takes over a newer state with its reason and time", () => {
    const state = play({ ...INITIAL, machine: MACHINE }, stateEvent(1, 101, "paused"));
    expect(state.machine).toMatchObject({ state: "paused", reason: "because", since: 101 });
  });

  it("is not taken back by a replayed history", () => {
    const state = play({ ...INITIAL, machine: MACHINE }, stateEvent(1, 50, "preparing"));
    expect(state.machine?.state).toBe("running");
    expect(state.log).toHaveLength(1);
  });

  it("keeps a state event that overtook the answer to a request", () => {
    const early = play(INITIAL, stateEvent(1, 101, "stopped"));
    expect(reduce(early, { type: "machine", machine: MACHINE }).machine?.state).toBe("stopped");
  });

  it("shows the progress of a running step as one line", () => {
    const state = play(
      INITIAL,
      stepEvent(1, "image", "running", 1),
      stepEvent(2, "image", "running", 2),
      stepEvent(3, "image", "done"),
    );
    expect(state.log.map((entry) => entry.id)).toEqual([2, 3]);
    expect(state.steps).toHaveLength(1);
    expect(state.steps[0]).toMatchObject({ status: "done", started: 1, ended: 3 });
  });

  it("follows an operation on disks apart from the steps of a start", () => {
    const state = play(INITIAL, stepEvent(1, "host", "done"), stepEvent(2, "storage", "running"));
    expect(state.operation).toMatchObject({ started: 2 });
    expect(state.steps).toHaveLength(1);
    expect(reduce(state, { type: "machine", machine: MACHINE }).operation).toBeNull();
  });

  it("forgets the steps and the log when the history starts over, but not the machine", () => {
    const filled = play({ ...INITIAL, machine: MACHINE }, stepEvent(1, "host", "done"));
    const state = reduce(filled, { type: "history" });
    expect(state.log).toEqual([]);
    expect(state.steps).toEqual([]);
    expect(state.machine).toBe(MACHINE);
  });

  it("keeps the log within bounds", () => {
    const events = Array.from({ length: 2100 }, (_, at) => stateEvent(at + 1, at, "running"));
    const state = play(INITIAL, ...events);
    expect(state.log).toHaveLength(2000);
    expect(state.log.at(-1)?.id).toBe(2100);
  });

  it("puts samples and guest facts where they belong, not into the log", () => {
    const state = play(
      INITIAL,
      { id: 1, type: "metrics", data: sample(5) },
      { id: 2, type: "guest", data: { time: 6, available: true, hostname: "h" } },
    );
    expect(state.samples).toHaveLength(1);
    expect(state.guest?.hostname).toBe("h");
    expect(state.log).toEqual([]);
  });
});

describe("mergeSamples", () => {
  it("keeps order, drops doubles and what is older than the window", () => {
    const merged = mergeSamples([sample(1), sample(700)], [sample(700), sample(650), sample(702)]);
    expect(merged.map(({ time }) => time)).toEqual([650, 700, 702]);
    expect(mergeSamples([sample(0)], [sample(WINDOW)])).toHaveLength(2);
    expect(mergeSamples([], [])).toEqual([]);
  });
});
