import type { ITheme } from "@xterm/xterm";

/** The terminal is dark in both themes of the page, as most programs' colours expect. */
export const TERMINAL_THEME: ITheme = {
  background: "#151515",
  foreground: "#e0e0e0",
  cursor: "#7fb8f5",
  cursorAccent: "#151515",
  selectionBackground: "#4d6a8f",
  black: "#292929",
  red: "#f56e6e",
  green: "#87bb62",
  yellow: "#ffcc17",
  blue: "#6ab0f3",
  magenta: "#c58ae8",
  cyan: "#63bdbd",
  white: "#c7c7c7",
  brightBlack: "#8a8d90",
  brightRed: "#ff9a9a",
  brightGreen: "#afdc8f",
  brightYellow: "#ffe072",
  brightBlue: "#92c5f9",
  brightMagenta: "#dcb8f2",
  brightCyan: "#9ad8d8",
  brightWhite: "#ffffff",
};
