// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal control sequences are control characters
const SEQUENCES =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[PX^_][^\u001b]*\u001b\\|[ -/]*[0-~])/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: what is left of them after the sequences are gone
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f]/g;

/** A serial log as plain text: without the terminal's control sequences (ECMA-48). */
export function plainText(log: string): string {
  return log.replace(SEQUENCES, "").replace(/\r+\n/g, "\n").replace(CONTROLS, "");
}
