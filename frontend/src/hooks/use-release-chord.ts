import { type RefObject, useEffect } from "react";
import { ReleaseChord } from "./release-chord";

/** Move the focus to `exit` when the release chord is pressed inside `area`. */
export function useReleaseChord(
  area: RefObject<HTMLElement | null>,
  exit: RefObject<HTMLElement | null>,
): void {
  useEffect(() => {
    const element = area.current;
    if (!element) return;
    const chord = new ReleaseChord();
    const onKey = (event: KeyboardEvent) => {
      // After this event, so that the guest sees the last key go up.
      if (chord.take(event)) setTimeout(() => exit.current?.focus());
    };
    element.addEventListener("keydown", onKey, true);
    element.addEventListener("keyup", onKey, true);
    return () => {
      element.removeEventListener("keydown", onKey, true);
      element.removeEventListener("keyup", onKey, true);
    };
  }, [area, exit]);
}
