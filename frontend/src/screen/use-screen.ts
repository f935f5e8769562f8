import { type RefObject, useEffect, useRef, useState } from "react";
import { socketUrl } from "../api/client";
import { ScreenSession, type ScreenSize, type ScreenStatus } from "./session";

interface Options {
  /** Whether there is a screen to connect to. */
  wanted: boolean;
  viewOnly: boolean;
  scale: boolean;
}

export interface Screen {
  session: RefObject<ScreenSession | null>;
  status: ScreenStatus;
  size: ScreenSize | null;
}

/** Keep the guest's screen shown in `container` while it is wanted. */
export function useScreen(container: RefObject<HTMLElement | null>, options: Options): Screen {
  const { wanted, viewOnly, scale } = options;
  const session = useRef<ScreenSession | null>(null);
  const [status, setStatus] = useState<ScreenStatus>("off");
  const [size, setSize] = useState<ScreenSize | null>(null);
  useEffect(() => {
    if (!container.current) return;
    const made = new ScreenSession(container.current, socketUrl("vnc"), {
      onStatus: setStatus,
      onSize: setSize,
    });
    session.current = made;
    return () => {
      made.dispose();
      session.current = null;
    };
  }, [container]);
  useEffect(() => session.current?.setScale(scale), [scale]);
  useEffect(() => session.current?.setViewOnly(viewOnly), [viewOnly]);
  useEffect(() => {
    if (wanted) session.current?.start();
    else session.current?.stop();
  }, [wanted]);
  return { session, status, size };
}
