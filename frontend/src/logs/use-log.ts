import { useEffect, useState } from "react";
import { api } from "../api/client";
import type { LogName } from "../api/types";

/** How much of a log is shown, in bytes. */
export const TAIL = 256 * 1024;
const INTERVAL = 3000;

export interface LogText {
  text: string | null;
  error: string | null;
}

/** The tail of a log, asked for again every few seconds while `follow`. */
export function useLog(name: LogName, follow: boolean): LogText {
  const [log, setLog] = useState<LogText>({ text: null, error: null });
  useEffect(() => {
    setLog({ text: null, error: null });
    const controller = new AbortController();
    const load = async () => {
      try {
        const text = await api.log(name, TAIL, controller.signal);
        setLog({ text, error: null });
      } catch (error) {
        if (controller.signal.aborted) return;
        const message = error instanceof Error ? error.message : String(error);
        setLog((known) => ({ ...known, error: message }));
      }
    };
    void load();
    const timer = follow ? setInterval(() => void load(), INTERVAL) : undefined;
    return () => {
      controller.abort();
      clearInterval(timer);
    };
  }, [name, follow]);
  return log;
}
