import { type RefObject, useCallback, useEffect, useState } from "react";

interface KeyboardLock {
  lock?(): Promise<void>;
  unlock?(): void;
}

function keyboard(): KeyboardLock {
  return (navigator as { keyboard?: KeyboardLock }).keyboard ?? {};
}

/** Full screen for one element. Where the browser can, Escape and Alt+Tab then go to the guest, too. */
export function useFullscreen(area: RefObject<HTMLElement | null>): [boolean, () => Promise<void>] {
  const [full, setFull] = useState(false);
  useEffect(() => {
    const onChange = () => {
      const active = document.fullscreenElement !== null && document.fullscreenElement === area.current;
      setFull(active);
      if (!active) keyboard().unlock?.();
    };
    document.addEventListener("fullscreenchange", onChange);
    return () => document.removeEventListener("fullscreenchange", onChange);
  }, [area]);
  const toggle = useCallback(async () => {
    if (document.fullscreenElement) return document.exitFullscreen();
    await area.current?.requestFullscreen();
    // Refused outside secure contexts: the browser then keeps its own keys, which is no failure.
    await keyboard()
      .lock?.()
      .catch(() => undefined);
  }, [area]);
  return [full, toggle];
}
