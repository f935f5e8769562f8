import type { Consistency, Disk, MachineState, Snapshot } from "../api/types";
import { moment } from "../format/format";
import { isLive } from "./rules";

/** How a snapshot was taken: short, and what that means. */
export const CONSISTENCY: Record<Consistency, { label: string; meaning: string }> = {
  stopped: { label: "Machine off", meaning: "Taken while the machine was off" },
  memory: { label: "With memory", meaning: "The running guest goes on from it" },
  agent: { label: "File systems frozen", meaning: "The guest agent held them still" },
  crash: { label: "Not frozen", meaning: "The disks are as after a power cut" },
};

/** How long ago a moment was; times in seconds. */
export function ago(time: number, now: number): string {
  const minutes = Math.floor((now - time) / 60);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ago`;
  return `${Math.floor(minutes / 60 / 24)} days ago`;
}

/** `disk0`, `disk0 and disk1`, `disk0, disk1 and disk2`. */
export function enumerate(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** What going back to a snapshot takes away and brings about, a sentence each. */
export function losses(snapshot: Snapshot, state: MachineState, disks: readonly Disk[] | null): string[] {
  const others = (disks ?? []).map((disk) => disk.name).filter((name) => !snapshot.disks.includes(name));
  return [
    `Everything that was written to ${enumerate(snapshot.disks)} since ${moment(snapshot.created)} is lost. A disk that grew since then has its old size again.`,
    afterwards(snapshot, state),
    ...(others.length > 0
      ? [`${enumerate(others)} ${others.length > 1 ? "are" : "is"} not in it and will not change.`]
      : []),
  ];
}

function afterwards(snapshot: Snapshot, state: MachineState): string {
  if (isLive(state)) return "The guest goes on from that moment: what runs in it now is gone.";
  const off = "The machine stays off and boots anew when it is started.";
  return snapshot.memory
    ? `${off} To go on from the snapshot's memory, restore it while the machine runs.`
    : off;
}

const TAG = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
export const TAG_RULE = "Letters, digits, ‘.’, ‘_’ and ‘-’, at most 63, beginning with a letter or digit.";

/** What is wrong with the name of a new snapshot; an empty one is made from the time. */
export function tagProblem(tag: string, known: readonly Snapshot[]): string | null {
  if (tag === "") return null;
  if (!TAG.test(tag)) return TAG_RULE;
  return known.some((snapshot) => snapshot.tag === tag) ? `There is a snapshot ‘${tag}’ already.` : null;
}
