import { Spinner } from "@patternfly/react-core/dist/esm/components/Spinner";
import { type CSSProperties, useCallback, useRef, useState } from "react";
import { api } from "../api/client";
import type { Machine } from "../api/types";
import { RELEASE_LABEL } from "../hooks/release-chord";
import { useReleaseChord } from "../hooks/use-release-chord";
import { hasScreen } from "../power/rules";
import { ProgressPanel } from "../progress/ProgressPanel";
import { guarded } from "../shell/notices";
import { useFullscreen } from "./fullscreen";
import { sendCombination } from "./keys";
import { NoScreen } from "./NoScreen";
import { PasteDialog } from "./PasteDialog";
import { ScreenToolbar } from "./ScreenToolbar";
import { fileName, saveBlob } from "./save";
import type { ScreenSize, ScreenStatus } from "./session";
import { TouchKeyboard, type TouchKeyboardHandle } from "./TouchKeyboard";
import { NORMAL_PACE } from "./typing";
import { useScreen } from "./use-screen";
import { useTyping } from "./use-typing";

function Overlay({ status, state }: { status: ScreenStatus; state: Machine["state"] }) {
  if (status === "connected") {
    return state === "paused" ? <div className="qd-screen__note">Paused</div> : null;
  }
  return (
    <div className="qd-screen__overlay">
      {status === "refused" ? (
        <p>The screen asks for a password of its own, which this page does not know</p>
      ) : (
        <>
          <Spinner size="lg" aria-label="Connecting to the screen" />
          <p>Connecting to the screen…</p>
        </>
      )}
    </div>
  );
}

function frameStyle(size: ScreenSize | null): CSSProperties {
  return size ? ({ "--qd-ratio": `${size.width} / ${size.height}` } as CSSProperties) : {};
}

function screenshot(name: string): Promise<void> {
  return guarded("Cannot take a screenshot", async () => {
    saveBlob(await api.screenshot(), fileName(name, "png", new Date()));
  });
}

/** The guest's screen with its toolbar. */
function LiveScreen({ machine }: { machine: Machine }) {
  const frame = useRef<HTMLElement>(null);
  const container = useRef<HTMLDivElement>(null);
  const toolbar = useRef<HTMLDivElement>(null);
  const touch = useRef<TouchKeyboardHandle | null>(null);
  const [scale, setScale] = useState(true);
  const [pasting, setPasting] = useState(false);
  const { session, status, size } = useScreen(container, {
    wanted: true,
    viewOnly: machine.view_only,
    scale,
  });
  const [full, toggleFull] = useFullscreen(frame);
  const send = useCallback(
    (keysym: number, code: string | null, down: boolean) => session.current?.sendKey(keysym, code, down),
    [session],
  );
  const typing = useTyping(send);
  useReleaseChord(container, toolbar);
  const focus = () => session.current?.focus();
  return (
    <section ref={frame} className="qd-screen" aria-label="Screen" style={frameStyle(size)}>
      <ScreenToolbar
        machine={machine}
        connected={status === "connected"}
        scale={scale}
        full={full}
        host={frame}
        first={toolbar}
        onScale={setScale}
        onFull={() => void guarded("Cannot show the screen in full", toggleFull).then(focus)}
        onCombination={(combination) => {
          sendCombination(combination.keys, send);
          focus();
        }}
        onPaste={() => setPasting(true)}
        onType={(text) => {
          focus();
          void typing.type(text, NORMAL_PACE);
        }}
        onTouchKeyboard={() => touch.current?.show()}
        onScreenshot={() => void screenshot(machine.name)}
      />
      <div className="qd-screen__stage" data-scale={scale ? "fit" : "actual"}>
        <div
          ref={container}
          className="qd-screen__canvas"
          data-testid="screen"
          data-status={status}
          data-width={size?.width}
          data-height={size?.height}
        />
        <Overlay status={status} state={machine.state} />
        <TouchKeyboard handle={touch} send={send} />
      </div>
      <p className="qd-screen__hint">
        <kbd>{RELEASE_LABEL}</kbd> pressed and released together takes the keyboard out of the screen
      </p>
      {pasting && (
        <PasteDialog
          typing={typing}
          host={frame}
          onClose={() => {
            setPasting(false);
            // The dialog gives the focus back to its button when it is gone; the guest gets it after that.
            setTimeout(focus, 100);
          }}
        />
      )}
    </section>
  );
}

/** The Screen tab: progress until the guest runs, then its screen, at the end how the machine ended. */
export function ScreenPanel({ machine }: { machine: Machine }) {
  if (!hasScreen(machine.state)) return <ProgressPanel machine={machine} />;
  if (machine.display === "none") return <NoScreen />;
  return <LiveScreen machine={machine} />;
}
