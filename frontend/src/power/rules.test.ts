import { describe, expect, it } from "vitest";
import type { MachineState, PowerAction } from "../api/types";
import { LOOKS } from "../shell/states";
import { allowed, hasScreen, isOver, isStarting } from "./rules";

const ACTIONS: PowerAction[] = ["start", "stop", "restart", "reset", "pause", "resume", "kill"];
const STATES = Object.keys(LOOKS) as MachineState[];
const possible = (state: MachineState) => ACTIONS.filter((action) => allowed(action, state));

describe("power", () => {
  it("offers what makes sense", () => {
    expect(possible("stopped")).toEqual(["start"]);
    expect(possible("ready")).toEqual(["stop", "restart", "reset", "pause", "kill"]);
    expect(possible("paused")).toContain("resume");
    expect(possible("paused")).not.toContain("pause");
    expect(possible("stopping")).toEqual(["kill"]);
  });

  it("offers a way out of each state", () => {
    expect(STATES.filter((state) => possible(state).length === 0)).toEqual([]);
  });
});

it("each state is a start, a screen or an end, and only one of them", () => {
  for (const state of STATES) {
    const kinds = [isStarting(state), hasScreen(state), isOver(state)].filter(Boolean);
    expect(kinds, state).toHaveLength(1);
  }
});
