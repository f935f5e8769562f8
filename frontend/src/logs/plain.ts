const ESC = "\\u001b";
const BEL = "\\u0007";

/** ECMA-48: control sequences, operating system commands, other strings, and two-character escapes. */
const SEQUENCES = new RegExp(
  [
    `${ESC}\\[[0-?]*[ -/]*[@-~]`,
    `${ESC}\\][^${BEL}${ESC}]*(?:${BEL}|${ESC}\\\\)`,
    `${ESC}[PX^_][^${ESC}]*${ESC}\\\\`,
    `${ESC}[ -/]*[0-~]`,
  ].join("|"),
  "g",
);

/** What is left of them, apart from tabs and line ends. */
const CONTROLS = /[^\P{Cc}\t\n]/gu;

/** A serial log as plain text: without the terminal's control sequences. */
export function plainText(log: string): string {
  return log.replace(SEQUENCES, "").replace(/\r+\n/g, "\n").replace(CONTROLS, "");
}
