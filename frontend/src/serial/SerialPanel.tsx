import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import CopyIcon from "@patternfly/react-icons/dist/esm/icons/copy-icon";
import EraserIcon from "@patternfly/react-icons/dist/esm/icons/eraser-icon";
import PasteIcon from "@patternfly/react-icons/dist/esm/icons/paste-icon";
import RulerCombinedIcon from "@patternfly/react-icons/dist/esm/icons/ruler-combined-icon";
import { useRef } from "react";
import type { Machine } from "../api/types";
import { RELEASE_LABEL } from "../hooks/release-chord";
import { useReleaseChord } from "../hooks/use-release-chord";
import { copyText } from "../shell/copy";
import { guarded } from "../shell/notices";
import { type Serial, useSerial } from "./use-serial";

/** Browsers let a page read the clipboard on https and localhost only, and some never. */
const CAN_READ = isSecureContext && typeof navigator.clipboard?.readText === "function";

function Typing({ session }: Pick<Serial, "session">) {
  const paste = () =>
    guarded("Cannot read the clipboard; Ctrl+Shift+V works, too", async () => {
      session.current?.paste(await navigator.clipboard.readText());
      session.current?.focus();
    });
  return (
    <>
      {CAN_READ && (
        <Button variant="secondary" size="sm" icon={<PasteIcon />} onClick={() => void paste()}>
          Paste
        </Button>
      )}
      <Button
        variant="secondary"
        size="sm"
        icon={<RulerCombinedIcon />}
        title="Types a stty command, so that the guest's programs use the whole terminal"
        onClick={() => {
          session.current?.sendSize();
          session.current?.focus();
        }}
        data-testid="serial-size"
      >
        Set size
      </Button>
    </>
  );
}

/** The guest's serial console. */
export function SerialPanel({ machine }: { machine: Machine }) {
  const container = useRef<HTMLDivElement>(null);
  const toolbar = useRef<HTMLDivElement>(null);
  const { session, status, hasSelection } = useSerial(container, machine.view_only);
  useReleaseChord(container, toolbar);
  const copy = () => guarded("Cannot copy", () => copyText(session.current?.selection() ?? ""));
  return (
    <section className="qd-serial" aria-label="Serial console">
      <div className="qd-toolbar" role="toolbar" aria-label="Serial console" ref={toolbar} tabIndex={-1}>
        <div className="qd-toolbar__group">
          <Button
            variant="secondary"
            size="sm"
            icon={<CopyIcon />}
            isDisabled={!hasSelection}
            onClick={() => void copy()}
          >
            Copy
          </Button>
          {!machine.view_only && <Typing session={session} />}
          <Button
            variant="secondary"
            size="sm"
            icon={<EraserIcon />}
            onClick={() => session.current?.clear()}
            data-testid="serial-clear"
          >
            Clear
          </Button>
        </div>
        <span className="qd-toolbar__note" role="status">
          {status === "connecting" ? "Connecting…" : machine.view_only ? "You can watch, but not type" : ""}
        </span>
      </div>
      <div className="qd-terminal" ref={container} data-testid="serial" data-status={status} />
      <p className="qd-screen__hint">
        <kbd>{RELEASE_LABEL}</kbd> pressed and released together takes the keyboard out of the terminal
      </p>
    </section>
  );
}
