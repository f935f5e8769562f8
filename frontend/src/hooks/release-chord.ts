const CHORD: ReadonlySet<string> = new Set(["Control", "Alt", "Shift"]);

/** The words for the chord. */
export const RELEASE_LABEL = "Ctrl + Alt + Shift";

type KeyPart = Pick<KeyboardEvent, "type" | "key">;

/**
 * Recognises Ctrl, Alt and Shift pressed together, alone, and all released again.
 *
 * The guest's screen and the terminal swallow Tab, so that the keyboard needs a way out. It fires only at the last
 * release, when the guest has seen each key go up and none is left hanging.
 */
export class ReleaseChord {
  private readonly down = new Set<string>();
  private readonly pressed = new Set<string>();
  private spoiled = false;

  /** Take a key event; true when the chord is complete. */
  take(event: KeyPart): boolean {
    // With Shift held, browsers report the Alt key as Meta.
    const key = event.key === "Meta" ? "Alt" : event.key;
    if (!CHORD.has(key)) {
      this.spoiled = this.spoiled || (event.type === "keydown" && this.down.size > 0);
      return false;
    }
    return event.type === "keydown" ? this.press(key) : this.release(key);
  }

  private press(key: string): false {
    this.down.add(key);
    this.pressed.add(key);
    return false;
  }

  private release(key: string): boolean {
    this.down.delete(key);
    if (this.down.size > 0) return false;
    const complete = this.pressed.size === CHORD.size && !this.spoiled;
    this.pressed.clear();
    this.spoiled = false;
    return complete;
  }
}
