import type { Connection } from "../api/event-stream";
import type { GuestFacts, Machine, MachineEvent, Sample, StepEvent } from "../api/types";
import { confirmOperation, followOperation, isStorageStep, type Operation } from "./operation";
import { type TrackedStep, trackStep } from "./progress";

/** How long samples are kept, in seconds. */
export const WINDOW = 600;
const KEPT_EVENTS = 2000;

/** Whether nothing can be asked of the console. A break so short that the first attempt mends it does not count. */
export function isOffline({ connection }: { connection: Connection }): boolean {
  return connection.kind === "logged-out" || (connection.kind === "lost" && connection.attempts > 1);
}

/** An event that people read; samples and guest facts have their own place. */
export type LogEntry = Extract<MachineEvent, { type: "step" | "state" | "message" | "qemu" }>;

/** All that the page knows. */
export interface ConsoleState {
  machine: Machine | null;
  connection: Connection;
  log: readonly LogEntry[];
  steps: readonly TrackedStep[];
  operation: Operation | null;
  samples: readonly Sample[];
  guest: GuestFacts | null;
}

export const INITIAL: ConsoleState = {
  machine: null,
  connection: { kind: "connecting" },
  log: [],
  steps: [],
  operation: null,
  samples: [],
  guest: null,
};

export type Action =
  | { type: "machine"; machine: Machine }
  | { type: "history" }
  | { type: "event"; event: MachineEvent }
  | { type: "metrics"; samples: readonly Sample[] }
  | { type: "guest"; guest: GuestFacts }
  | { type: "connection"; connection: Connection };

/** The next state of the page; pure. */
export function reduce(state: ConsoleState, action: Action): ConsoleState {
  switch (action.type) {
    case "machine":
      return {
        ...state,
        machine: withNewest(action.machine, state.log),
        operation: confirmOperation(state.operation, action.machine.steps),
      };
    case "history":
      return { ...state, log: [], steps: [], operation: null };
    case "event":
      return reduceEvent(state, action.event);
    case "metrics":
      return { ...state, samples: mergeSamples(action.samples, state.samples) };
    case "guest":
      return { ...state, guest: action.guest };
    case "connection":
      return { ...state, connection: action.connection };
  }
}

function reduceEvent(state: ConsoleState, event: MachineEvent): ConsoleState {
  switch (event.type) {
    case "metrics":
      return { ...state, samples: mergeSamples(state.samples, [event.data]) };
    case "guest":
      return { ...state, guest: event.data };
    case "step":
      return { ...withStep(state, event.data), log: append(state.log, event) };
    case "state": {
      const log = append(state.log, event);
      return { ...state, log, machine: state.machine && withNewest(state.machine, log) };
    }
    default:
      return { ...state, log: append(state.log, event) };
  }
}

/** Steps of operations on disks stand apart from those of a start. */
function withStep(state: ConsoleState, event: StepEvent): ConsoleState {
  return isStorageStep(event.step)
    ? { ...state, operation: followOperation(state.operation, event) }
    : { ...state, steps: trackStep(state.steps, event) };
}

/** A machine as of its newest state event: a replayed history must not take it back to an older state. */
function withNewest(machine: Machine, log: readonly LogEntry[]): Machine {
  const newest = log.findLast((entry) => entry.type === "state");
  if (!newest || newest.data.time <= (machine.since ?? 0)) return machine;
  const { state, reason, time } = newest.data;
  return { ...machine, state, reason, since: time };
}

/** Progress of one running step is one line of the log, not a thousand. */
function append(log: readonly LogEntry[], event: LogEntry): LogEntry[] {
  const last = log.at(-1);
  const replaces =
    event.type === "step" &&
    last?.type === "step" &&
    last.data.step === event.data.step &&
    last.data.status === "running" &&
    event.data.status === "running";
  const kept = replaces ? log.slice(0, -1) : log.slice(-(KEPT_EVENTS - 1));
  return [...kept, event];
}

/** Samples of both lists in order of time, each once, of the last ten minutes before the newest. */
export function mergeSamples(older: readonly Sample[], newer: readonly Sample[]): Sample[] {
  const last = older.at(-1)?.time ?? Number.NEGATIVE_INFINITY;
  const all = newer.every((sample) => sample.time > last)
    ? [...older, ...newer]
    : [...new Map([...older, ...newer].map((sample) => [sample.time, sample])).values()].sort(
        (a, b) => a.time - b.time,
      );
  const newest = all.at(-1)?.time ?? 0;
  return all.filter((sample) => sample.time >= newest - WINDOW);
}
