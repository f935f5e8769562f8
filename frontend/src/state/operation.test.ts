import { describe, expect, it } from "vitest";
import type { Step, StepEvent, StepStatus } from "../api/types";
import { confirmOperation, followOperation, isStorageStep, type Operation } from "./operation";

function event(step: string, status: StepStatus, rest: Partial<StepEvent> = {}): StepEvent {
  return {
    step,
    status,
    time: 5,
    detail: "making a backup",
    done: null,
    total: null,
    unit: "bytes",
    ...rest,
  };
}

const BEGUN: Operation = { what: "making a backup", started: 5, done: null, total: null };

describe("followOperation", () => {
  it("lasts from the beginning of its step to the end", () => {
    expect(followOperation(null, event("storage", "running"))).toEqual(BEGUN);
    expect(followOperation(BEGUN, event("storage", "done"))).toBeNull();
    expect(followOperation(BEGUN, event("storage", "failed"))).toBeNull();
  });

  it("knows how far it is from its parts", () => {
    const further = followOperation(BEGUN, event("backup", "running", { time: 9, done: 3, total: 10 }));
    expect(further).toEqual({ ...BEGUN, done: 3, total: 10 });
    expect(followOperation(null, event("backup", "running", { done: 3, total: 10 }))).toBeNull();
  });
});

describe("confirmOperation", () => {
  const step: Step = event("storage", "running");

  it("forgets an operation whose end was missed", () => {
    expect(confirmOperation(BEGUN, [])).toBeNull();
    expect(confirmOperation(BEGUN, [{ ...step, status: "done" }])).toBeNull();
  });

  it("keeps what is known of one that goes on, and finds one that began before", () => {
    expect(confirmOperation(BEGUN, [step])).toBe(BEGUN);
    expect(confirmOperation(null, [step])).toEqual({ ...BEGUN, started: null });
  });
});

it("steps of a start are none of an operation", () => {
  expect(["storage", "backup", "clone"].every(isStorageStep)).toBe(true);
  expect(["disk", "image", "future"].some(isStorageStep)).toBe(false);
});
