import type { Step, StepEvent } from "../api/types";

/** The operation on disks that is under way: what it does in words, since when, and how far it is where that is known. */
export interface Operation {
  what: string;
  /** Seconds since the epoch; null when the page did not see it begin. */
  started: number | null;
  /** Bytes. */
  done: number | null;
  total: number | null;
}

/** The step that runs as long as an operation does. */
const WHOLE = "storage";
/** Steps of operations; they are no part of a start. */
export const STORAGE_TITLES: Readonly<Record<string, string>> = {
  [WHOLE]: "Work on the disks",
  backup: "Copy for a backup",
  clone: "Copy for a clone",
};

/** Whether a step belongs to an operation on disks, not to a start. */
export function isStorageStep(step: string): boolean {
  return step in STORAGE_TITLES;
}

/** The operation after an event of one of its steps. */
export function followOperation(operation: Operation | null, event: StepEvent): Operation | null {
  if (event.step === WHOLE) {
    if (event.status !== "running") return null;
    return { what: event.detail ?? "", started: event.time, done: null, total: null };
  }
  return operation && { ...operation, done: event.done ?? null, total: event.total ?? null };
}

/** The operation as the machine itself tells: a console that was lost may have missed its end. */
export function confirmOperation(operation: Operation | null, steps: readonly Step[]): Operation | null {
  const running = steps.find((step) => step.step === WHOLE && step.status === "running");
  if (!running) return null;
  return operation ?? { what: running.detail, started: null, done: null, total: null };
}
