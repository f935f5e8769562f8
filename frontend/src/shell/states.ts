import type { MachineState } from "../api/types";

/** PatternFly's label colours and statuses. */
export interface StateLook {
  text: string;
  color: "blue" | "green" | "grey" | "orange" | "red" | "teal";
  icon: "busy" | "on" | "ready" | "paused" | "off" | "failed";
  /** What the state means, in one line. */
  meaning: string;
}

export const LOOKS: Record<MachineState, StateLook> = {
  created: { text: "Created", color: "grey", icon: "off", meaning: "The machine has not been started yet" },
  preparing: {
    text: "Preparing",
    color: "blue",
    icon: "busy",
    meaning: "The image and the disks are being made",
  },
  starting: {
    text: "Starting",
    color: "blue",
    icon: "busy",
    meaning: "QEMU is up, the guest does not run yet",
  },
  running: {
    text: "Running",
    color: "teal",
    icon: "on",
    meaning: "The guest runs; its agent has not answered",
  },
  ready: { text: "Ready", color: "green", icon: "ready", meaning: "The guest runs and its agent answers" },
  paused: {
    text: "Paused",
    color: "orange",
    icon: "paused",
    meaning: "The guest stands still until it is resumed",
  },
  stopping: { text: "Stopping", color: "blue", icon: "busy", meaning: "The guest was asked to shut down" },
  stopped: { text: "Stopped", color: "grey", icon: "off", meaning: "The machine is off" },
  crashed: { text: "Crashed", color: "red", icon: "failed", meaning: "QEMU ended when it should not" },
  panicked: { text: "Panicked", color: "red", icon: "failed", meaning: "The guest's kernel gave up" },
  "io-error": {
    text: "I/O error",
    color: "red",
    icon: "failed",
    meaning: "A disk failed, often since the host's disk is full; resume tries again",
  },
};
