import { ENTER, type Key, type SendKey, SHIFT } from "./keys";

/** One character to type. */
export interface Stroke extends Key {
  shift: boolean;
}

const PLAIN = "`1234567890-=[]\\;',./ ";
const SHIFTED = '~!@#$%^&*()_+{}|:"<>?';
const CODES =
  "Backquote Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0 Minus Equal BracketLeft BracketRight Backslash Semicolon Quote Comma Period Slash Space".split(
    " ",
  );

/** The keysym of a character: X11 protocol, appendix A: Latin-1 as it is, the rest of Unicode above 0x01000000. */
export function keysymOf(character: string): number {
  const point = character.codePointAt(0) ?? 0;
  const isLatin1 = (point >= 0x20 && point <= 0x7e) || (point >= 0xa0 && point <= 0xff);
  return isLatin1 ? point : 0x01000000 | point;
}

/**
 * The key that types a character on a US keyboard.
 *
 * The place of the key and Shift are sent besides the keysym, since QEMU's VNC server takes a keysym for the
 * place of a key only and presses no Shift by itself. Other characters have a keysym alone.
 */
export function strokeOf(character: string): Stroke {
  if (character === "\n") return { ...ENTER, shift: false };
  if (character === "\t") return { keysym: 0xff09, code: "Tab", shift: false };
  const keysym = keysymOf(character);
  if (/^[a-z]$/i.test(character)) {
    return { keysym, code: `Key${character.toUpperCase()}`, shift: character !== character.toLowerCase() };
  }
  const plain = PLAIN.indexOf(character);
  if (plain >= 0) return { keysym, code: CODES[plain] ?? null, shift: false };
  const shifted = SHIFTED.indexOf(character);
  return { keysym, code: shifted < 0 ? null : (CODES[shifted] ?? null), shift: shifted >= 0 };
}

/** The strokes of a text: each kind of line end is one Enter, other control characters are left out. */
export function strokesOf(text: string): Stroke[] {
  const lines = text.replace(/\r\n?/g, "\n");
  return [...lines]
    .filter((character) => character === "\n" || character === "\t" || !isControl(character))
    .map(strokeOf);
}

function isControl(character: string): boolean {
  const point = character.codePointAt(0) ?? 0;
  return point < 0x20 || (point >= 0x7f && point < 0xa0);
}

/** The characters of a text that no key of a US keyboard types; a guest may not understand them. */
export function unusual(text: string): string[] {
  return [...new Set([...text])].filter(
    (character) => !isControl(character) && strokeOf(character).code === null,
  );
}

/** Press and release the keys of one stroke. */
export function sendStroke(stroke: Stroke, send: SendKey): void {
  if (stroke.shift) send(SHIFT.keysym, SHIFT.code, true);
  send(stroke.keysym, stroke.code, true);
  send(stroke.keysym, stroke.code, false);
  if (stroke.shift) send(SHIFT.keysym, SHIFT.code, false);
}

export interface TypingOptions {
  /** Milliseconds for one character; a shifted one takes twice as long. */
  pace: number;
  signal: AbortSignal;
  wait(milliseconds: number, signal: AbortSignal): Promise<void>;
  onProgress(typed: number, total: number): void;
}

/** QEMU lets 10 ms pass after each press and each release (vnc option key-delay-ms): faster typing only fills its queue. */
export const NORMAL_PACE = 25;
/** For guests that poll their keyboard slowly, such as boot loaders under emulation. */
export const SLOW_PACE = 100;

/** Type a text, one stroke after the other. Returns false when it was interrupted. */
export async function typeText(text: string, send: SendKey, options: TypingOptions): Promise<boolean> {
  const strokes = strokesOf(text);
  for (const [index, stroke] of strokes.entries()) {
    if (options.signal.aborted) return false;
    sendStroke(stroke, send);
    options.onProgress(index + 1, strokes.length);
    await options.wait(stroke.shift ? options.pace * 2 : options.pace, options.signal);
  }
  return !options.signal.aborted;
}
