import type { Disk, Machine, MachineState, Snapshot } from "../api/types";
import { hasScreen } from "../power/rules";
import type { Operation } from "../state/operation";

/** Why something cannot be done now, in one sentence; null when it can. */
export type Reason = string | null;

const CHANGING: Partial<Record<MachineState, string>> = {
  created: "The machine has no disks yet: its first start makes them.",
  preparing: "The disks are just being made.",
  starting: "The machine is just starting.",
  stopping: "The machine is just stopping.",
};

/** Whether QEMU runs, so that a snapshot can hold memory and the guest sees changes at once. */
export function isLive(state: MachineState): boolean {
  return hasScreen(state) && state !== "stopping";
}

/** Whether the console can say which disks there are: not while they are in between. */
export function disksAreKnown(state: MachineState): boolean {
  return !(state in CHANGING);
}

export interface Situation {
  machine: Pick<Machine, "state" | "view_only">;
  offline: boolean;
  /** Whether this page waits for an answer. */
  pending: boolean;
  operation: Operation | null;
}

/** Why nothing at all can be done with the disks. */
export function blocked({ machine, offline, pending, operation }: Situation): Reason {
  if (machine.view_only) return "This link is for watching: the owner of the machine can change its disks.";
  if (offline) return "The console does not answer.";
  if (operation || pending) return "Another operation is under way.";
  return CHANGING[machine.state] ?? null;
}

/** Why no snapshot of these disks can be made; `null` disks are not known. */
export function createBlocked(disks: readonly Disk[] | null): Reason {
  if (!disks) return null;
  if (disks.length === 0) return "The machine has no disk that it writes.";
  const without = disks.find((disk) => !disk.snapshots);
  if (!without) return null;
  const why =
    without.format === "qcow2" ? "it is your own file, used in place" : `its format is ${without.format}`;
  return `${without.name} cannot hold snapshots: ${why}.`;
}

/** Why a snapshot cannot hold memory. */
export function memoryBlocked(state: MachineState): Reason {
  return isLive(state) ? null : "A machine that does not run has no memory to keep.";
}

/** Why one snapshot cannot be gone back to. */
export function restoreBlocked(snapshot: Snapshot, state: MachineState): Reason {
  return snapshot.memory || !isLive(state)
    ? null
    : "To restore it, stop the machine first: it has no memory to go on from.";
}
