import { expect, it, describe as suite } from "vitest";
import type { LogEntry } from "../state/reducer";
import { describe, matching } from "./describe";

const LOG: LogEntry[] = [
  { id: 1, type: "state", data: { time: 1, state: "preparing", reason: null } },
  {
    id: 2,
    type: "step",
    data: {
      time: 2,
      step: "image",
      status: "running",
      detail: "fetch",
      done: 1024,
      total: 2048,
      unit: "bytes",
    },
  },
  { id: 3, type: "message", data: { time: 3, level: "warning", text: "No KVM" } },
  { id: 4, type: "qemu", data: { time: 4, name: "SHUTDOWN", data: { guest: true } } },
  { id: 5, type: "state", data: { time: 5, state: "crashed", reason: "signal 9" } },
];

suite("describe", () => {
  it("puts each kind of event into words", () => {
    expect(LOG.map(describe)).toEqual([
      { kind: "State", text: "Preparing", tone: "plain" },
      { kind: "Step", text: "Get the image: fetch · 1 KiB of 2 KiB", tone: "plain" },
      { kind: "Message", text: "No KVM", tone: "warning" },
      { kind: "QEMU", text: 'SHUTDOWN {"guest":true}', tone: "plain" },
      { kind: "State", text: "Crashed: signal 9", tone: "bad" },
    ]);
  });
});

it("leaves out the addresses of local viewers", () => {
  const data = { time: 1, name: "VNC_CONNECTED", data: { server: { family: "unix" } } };
  expect(describe({ id: 1, type: "qemu", data }).text).toBe("VNC_CONNECTED");
});

suite("matching", () => {
  it("wants all words and shows the newest first", () => {
    expect(matching(LOG, "").map(({ entry }) => entry.id)).toEqual([5, 4, 3, 2, 1]);
    expect(matching(LOG, "STATE crash").map(({ entry }) => entry.id)).toEqual([5]);
    expect(matching(LOG, "nothing")).toEqual([]);
  });
});
