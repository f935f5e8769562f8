import type { MachineState, PowerAction } from "../api/types";

const ALIVE: readonly MachineState[] = ["running", "ready", "paused", "io-error", "panicked"];

const ALLOWED: Record<PowerAction, readonly MachineState[]> = {
  start: ["created", "stopped", "crashed"],
  stop: ["starting", ...ALIVE],
  restart: ALIVE,
  reset: ALIVE,
  pause: ["running", "ready"],
  resume: ["paused", "io-error"],
  kill: ["preparing", "starting", "stopping", ...ALIVE],
};

/** Whether the action makes sense in this state. */
export function allowed(action: PowerAction, state: MachineState): boolean {
  return ALLOWED[action].includes(state);
}

/** Whether QEMU runs a guest whose screen can be shown. */
export function hasScreen(state: MachineState): boolean {
  return state === "stopping" || ALIVE.includes(state);
}

/** Whether a start is under way. */
export function isStarting(state: MachineState): boolean {
  return state === "created" || state === "preparing" || state === "starting";
}

/** Whether the machine ended, well or badly. */
export function isOver(state: MachineState): boolean {
  return state === "stopped" || state === "crashed";
}
