import type { Step, StepEvent } from "../api/types";
import { isStorageStep, STORAGE_TITLES } from "./operation";

/** A step with the times at which it began and ended; null where the page did not see it happen. */
export interface TrackedStep extends Step {
  started: number | null;
  ended: number | null;
}

/** The steps of a start in their order, with the words for people. */
export const STEPS: readonly { step: string; title: string }[] = [
  { step: "host", title: "Look at this host" },
  { step: "image", title: "Get the image" },
  { step: "disk", title: "Prepare the disks" },
  { step: "qemu", title: "Start QEMU" },
  { step: "console", title: "Open the console" },
  { step: "guest", title: "Boot the guest" },
];

/** The title of a step; steps that this page does not know show their own name. */
export function stepTitle(step: string): string {
  return STEPS.find((known) => known.step === step)?.title ?? STORAGE_TITLES[step] ?? step;
}

function bare(event: StepEvent): Step {
  const { step, status, detail, done, total, unit } = event;
  return {
    step,
    status,
    detail: detail ?? "",
    done: done ?? null,
    total: total ?? null,
    unit: unit ?? "steps",
  };
}

/** Add a step event. A finished step that runs again belongs to a new start: it and its followers begin anew. */
export function trackStep(steps: readonly TrackedStep[], event: StepEvent): TrackedStep[] {
  const index = steps.findIndex((known) => known.step === event.step);
  const known = steps[index];
  const again = known !== undefined && known.status !== "running" && event.status === "running";
  const kept = again ? steps.slice(0, index) : steps;
  const next: TrackedStep = {
    ...bare(event),
    started: again ? event.time : (known?.started ?? event.time),
    ended: event.status === "running" ? null : event.time,
  };
  return known && !again ? kept.map((step, at) => (at === index ? next : step)) : [...kept, next];
}

/** The steps to show: those of the events, and those that only the machine knows. */
export function mergeSteps(tracked: readonly TrackedStep[], machine: readonly Step[]): TrackedStep[] {
  const extra = machine.filter(
    ({ step }) => !isStorageStep(step) && !tracked.some((known) => known.step === step),
  );
  const all = [...tracked, ...extra.map((step) => ({ ...step, started: null, ended: null }))];
  const order = (step: string) => {
    const at = STEPS.findIndex((known) => known.step === step);
    return at < 0 ? STEPS.length : at;
  };
  return all.sort((a, b) => order(a.step) - order(b.step));
}
