import { amount } from "../format/format";
import { LOOKS } from "../shell/states";
import { stepTitle } from "../state/progress";
import type { LogEntry } from "../state/reducer";

export type Tone = "plain" | "good" | "warning" | "bad";

/** An event in words. */
export interface Line {
  kind: string;
  text: string;
  tone: Tone;
}

function stepLine(entry: Extract<LogEntry, { type: "step" }>): Line {
  const { step, status, detail, done, total, unit } = entry.data;
  const count = status === "running" ? amount(done ?? null, total ?? null, unit ?? "steps") : "";
  const tail = [detail, count].filter(Boolean).join(" · ");
  const words = { running: "", done: " – done", failed: " – failed" }[status];
  const tone: Tone = status === "failed" ? "bad" : status === "done" ? "good" : "plain";
  return { kind: "Step", text: `${stepTitle(step)}${words}${tail ? `: ${tail}` : ""}`, tone };
}

function stateLine(entry: Extract<LogEntry, { type: "state" }>): Line {
  const { state, reason } = entry.data;
  const look = LOOKS[state];
  const tone: Tone = look?.color === "red" ? "bad" : state === "ready" ? "good" : "plain";
  return { kind: "State", text: (look?.text ?? state) + (reason ? `: ${reason}` : ""), tone };
}

/** Viewers come and go on a local socket: the rest of these events tells nothing. */
const VIEWERS = /^(?:VNC|SPICE)_/;

function qemuLine(entry: Extract<LogEntry, { type: "qemu" }>): Line {
  const { name, data } = entry.data;
  const rest = VIEWERS.test(name) ? "{}" : JSON.stringify(data ?? {});
  return { kind: "QEMU", text: rest === "{}" ? name : `${name} ${rest}`, tone: "plain" };
}

/** Put an event into words. */
export function describe(entry: LogEntry): Line {
  switch (entry.type) {
    case "step":
      return stepLine(entry);
    case "state":
      return stateLine(entry);
    case "qemu":
      return qemuLine(entry);
    case "message": {
      const tones: Record<string, Tone> = { info: "plain", warning: "warning", error: "bad" };
      return { kind: "Message", text: entry.data.text, tone: tones[entry.data.level] ?? "plain" };
    }
  }
}

/** The events whose words contain all words of `query`, newest first. */
export function matching(log: readonly LogEntry[], query: string): { entry: LogEntry; line: Line }[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return log
    .map((entry) => ({ entry, line: describe(entry) }))
    .filter(({ line }) => words.every((word) => `${line.kind} ${line.text}`.toLowerCase().includes(word)))
    .reverse();
}
