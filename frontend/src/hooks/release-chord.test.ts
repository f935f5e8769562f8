import { describe, expect, it } from "vitest";
import { ReleaseChord } from "./release-chord";

/** `+Control -Control`: true when one of the events completed the chord, and only the last one may. */
function play(script: string): boolean {
  const chord = new ReleaseChord();
  const results = script
    .split(" ")
    .map((word) => chord.take({ type: word.startsWith("+") ? "keydown" : "keyup", key: word.slice(1) }));
  expect(results.slice(0, -1)).not.toContain(true);
  return results.at(-1) ?? false;
}

describe("ReleaseChord", () => {
  it.each([
    "+Control +Alt +Shift -Shift -Alt -Control",
    "+Shift +Control +Alt -Control -Shift -Alt",
    "+Shift +Control +Meta -Meta -Control -Shift",
  ])("fires for %s", (script) => expect(play(script)).toBe(true));

  it.each([
    "+Control +Alt -Alt -Control",
    "+Control +Alt +Shift +a -a -Shift -Alt -Control",
    "+Control -Control +Alt -Alt +Shift -Shift",
    "+Control +Alt +Shift -Shift -Alt",
  ])("does not fire for %s", (script) => expect(play(script)).toBe(false));

  it("fires again after a spoiled try", () => {
    expect(play("+Control +c -c -Control +Control +Alt +Shift -Shift -Alt -Control")).toBe(true);
  });
});
