/** One key: its X11 keysym (keysymdef.h) and the place on a US keyboard (`KeyboardEvent.code`, null when it has none). */
export interface Key {
  keysym: number;
  code: string | null;
}

/** Keys that are pressed in order and released in reverse. */
export interface Combination {
  id: string;
  label: string;
  keys: readonly Key[];
}

export const CONTROL: Key = { keysym: 0xffe3, code: "ControlLeft" };
export const ALT: Key = { keysym: 0xffe9, code: "AltLeft" };
export const SHIFT: Key = { keysym: 0xffe1, code: "ShiftLeft" };
export const SUPER: Key = { keysym: 0xffeb, code: "MetaLeft" };
export const ENTER: Key = { keysym: 0xff0d, code: "Enter" };
export const BACKSPACE: Key = { keysym: 0xff08, code: "Backspace" };
const TAB: Key = { keysym: 0xff09, code: "Tab" };
const ESCAPE: Key = { keysym: 0xff1b, code: "Escape" };
const DELETE: Key = { keysym: 0xffff, code: "Delete" };
const PRINT: Key = { keysym: 0xff61, code: "PrintScreen" };

/** The function key F1 to F12. */
export function functionKey(number: number): Key {
  return { keysym: 0xffbe + number - 1, code: `F${number}` };
}

function letter(character: string): Key {
  return { keysym: character.charCodeAt(0), code: `Key${character.toUpperCase()}` };
}

const CONSOLES: Combination[] = [1, 2, 3, 4, 5, 6, 7].map((number) => ({
  id: `ctrl-alt-f${number}`,
  label: `Ctrl + Alt + F${number}`,
  keys: [CONTROL, ALT, functionKey(number)],
}));

function sysrq(character: string, does: string): Combination {
  return {
    id: `sysrq-${character}`,
    label: `SysRq + ${character.toUpperCase()} (${does})`,
    keys: [ALT, PRINT, letter(character)],
  };
}

/** What browsers and desktops keep for themselves and a guest needs sometimes; groups of the menu. */
export const COMBINATIONS: readonly { title: string; items: readonly Combination[] }[] = [
  {
    title: "System",
    items: [
      { id: "ctrl-alt-del", label: "Ctrl + Alt + Del", keys: [CONTROL, ALT, DELETE] },
      { id: "ctrl-alt-backspace", label: "Ctrl + Alt + Backspace", keys: [CONTROL, ALT, BACKSPACE] },
      { id: "alt-tab", label: "Alt + Tab", keys: [ALT, TAB] },
      { id: "alt-f4", label: "Alt + F4", keys: [ALT, functionKey(4)] },
      { id: "super", label: "Super", keys: [SUPER] },
      { id: "escape", label: "Escape", keys: [ESCAPE] },
      { id: "print-screen", label: "Print Screen", keys: [PRINT] },
    ],
  },
  { title: "Text consoles", items: CONSOLES },
  {
    title: "Linux kernel",
    // Documentation/admin-guide/sysrq.rst of Linux.
    items: [
      sysrq("h", "help"),
      sysrq("s", "sync disks"),
      sysrq("u", "remount read-only"),
      sysrq("b", "reboot now"),
    ],
  },
];

/** Presses (true) or releases (false) one key. */
export type SendKey = (keysym: number, code: string | null, down: boolean) => void;

/** Press the keys in order and release them in reverse. */
export function sendCombination(keys: readonly Key[], send: SendKey): void {
  for (const key of keys) send(key.keysym, key.code, true);
  for (const key of keys.toReversed()) send(key.keysym, key.code, false);
}
