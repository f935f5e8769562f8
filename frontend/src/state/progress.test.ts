import { describe, expect, it } from "vitest";
import type { StepEvent, StepStatus } from "../api/types";
import { mergeSteps, stepTitle, type TrackedStep, trackStep } from "./progress";

function event(step: string, status: StepStatus, time: number): StepEvent {
  return { step, status, time, detail: "", done: null, total: null, unit: "steps" };
}

function track(...events: StepEvent[]): TrackedStep[] {
  return events.reduce<TrackedStep[]>(trackStep, []);
}

describe("trackStep", () => {
  it("measures a step from its first event to its end", () => {
    const steps = track(event("host", "running", 1), event("host", "running", 2), event("host", "done", 4));
    expect(steps).toMatchObject([{ step: "host", status: "done", started: 1, ended: 4 }]);
  });

  it("begins anew with a second start", () => {
    const first = [event("host", "running", 1), event("host", "done", 2), event("image", "done", 3)];
    const steps = track(...first, event("host", "running", 10));
    expect(steps).toMatchObject([{ step: "host", status: "running", started: 10, ended: null }]);
  });

  it("counts a step that is done at once as no time", () => {
    expect(track(event("console", "done", 5))).toMatchObject([{ started: 5, ended: 5 }]);
  });
});

describe("mergeSteps", () => {
  it("adds what only the machine knows of a start, in its order", () => {
    const known = { detail: "", done: null, total: null, unit: "steps" };
    const merged = mergeSteps(track(event("qemu", "running", 1)), [
      { ...known, step: "future", status: "done" },
      { ...known, step: "host", status: "done" },
      { ...known, step: "storage", status: "running" },
      { ...known, step: "qemu", status: "done" },
    ]);
    expect(merged.map(({ step, status }) => [step, status])).toEqual([
      ["host", "done"],
      ["qemu", "running"],
      ["future", "done"],
    ]);
  });
});

describe("stepTitle", () => {
  it("shows the name of a step that it does not know", () => {
    expect(stepTitle("guest")).toBe("Boot the guest");
    expect(stepTitle("future")).toBe("future");
  });
});
