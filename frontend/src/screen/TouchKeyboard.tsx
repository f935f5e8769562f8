import { type RefObject, useImperativeHandle, useRef } from "react";
import { BACKSPACE, type Key, type SendKey } from "./keys";
import { diffInput } from "./touch-input";
import { sendStroke, strokesOf } from "./typing";

export interface TouchKeyboardHandle {
  /** Bring up the on-screen keyboard; must be called from a tap. */
  show(): void;
}

/** A few characters that can be erased, so that the keyboard's backspace has something to do. */
const PADDING = "_".repeat(64);

const SPECIAL: Record<string, Key> = {
  Enter: { keysym: 0xff0d, code: "Enter" },
  Tab: { keysym: 0xff09, code: "Tab" },
  Escape: { keysym: 0xff1b, code: "Escape" },
  ArrowLeft: { keysym: 0xff51, code: "ArrowLeft" },
  ArrowUp: { keysym: 0xff52, code: "ArrowUp" },
  ArrowRight: { keysym: 0xff53, code: "ArrowRight" },
  ArrowDown: { keysym: 0xff54, code: "ArrowDown" },
};

interface Props {
  handle: RefObject<TouchKeyboardHandle | null>;
  send: SendKey;
}

/** An invisible text field that takes what an on-screen keyboard types and sends it to the guest. */
export function TouchKeyboard({ handle, send }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const before = useRef(PADDING);
  const reset = () => {
    before.current = PADDING;
    if (!field.current) return;
    field.current.value = PADDING;
    field.current.setSelectionRange(PADDING.length, PADDING.length);
  };
  useImperativeHandle(handle, () => ({
    show: () => {
      field.current?.focus();
      reset();
    },
  }));
  const onInput = () => {
    const now = field.current?.value ?? "";
    const edit = diffInput(before.current, now);
    before.current = now;
    for (let count = 0; count < edit.erase; count += 1) sendStroke({ ...BACKSPACE, shift: false }, send);
    for (const stroke of strokesOf(edit.insert)) sendStroke(stroke, send);
    if (now.length < 8 || now.length > 400) reset();
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const key = SPECIAL[event.key];
    if (!key || event.nativeEvent.isComposing) return;
    event.preventDefault();
    sendStroke({ ...key, shift: false }, send);
  };
  return (
    <textarea
      ref={field}
      className="qd-touch-field"
      aria-label="Type into the guest"
      tabIndex={-1}
      defaultValue={PADDING}
      autoCapitalize="off"
      autoComplete="off"
      autoCorrect="off"
      spellCheck={false}
      onInput={onInput}
      onKeyDown={onKeyDown}
    />
  );
}
