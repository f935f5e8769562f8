import { CopyButton } from "./CopyButton";

/** A command line to type in a terminal, with a button that copies it. */
export function Command({ text }: { text: string }) {
  return (
    <span className="qd-command">
      <code>{text}</code>
      <CopyButton text={text} what="command" />
    </span>
  );
}
