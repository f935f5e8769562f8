import { useEffect, useRef, useState } from "react";
import { sleep } from "../api/event-stream";
import type { SendKey } from "./keys";
import { typeText } from "./typing";

export interface Typing {
  /** Characters typed and to type; null when nothing is being typed. */
  progress: { typed: number; total: number } | null;
  /** Resolves to false when it was interrupted. */
  type(text: string, pace: number): Promise<boolean>;
  cancel(): void;
}

/** Types texts into the guest, one at a time. */
export function useTyping(send: SendKey): Typing {
  const [progress, setProgress] = useState<Typing["progress"]>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);
  const type = async (text: string, pace: number) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const onProgress = (typed: number, total: number) => setProgress({ typed, total });
    const whole = await typeText(text, send, { pace, signal: controller.signal, wait: sleep, onProgress });
    if (running.current === controller) setProgress(null);
    return whole;
  };
  return { progress, type, cancel: () => running.current?.abort() };
}
