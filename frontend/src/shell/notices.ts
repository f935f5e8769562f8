import { useSyncExternalStore } from "react";
import { ApiError } from "../api/client";

export interface Notice {
  id: number;
  variant: "success" | "info" | "warning" | "danger";
  title: string;
  text: string;
}

let notices: readonly Notice[] = [];
let nextId = 1;
const listeners = new Set<() => void>();

function change(next: readonly Notice[]): void {
  notices = next;
  for (const listener of listeners) listener();
}

/** Show a short message above the page; all but failures go away by themselves. */
export function notify(variant: Notice["variant"], title: string, text = ""): void {
  change([...notices.slice(-3), { id: nextId++, variant, title, text }]);
}

export function dismiss(id: number): void {
  change(notices.filter((notice) => notice.id !== id));
}

/** Run an action and show what, why and how to go on when it fails. */
export async function guarded(what: string, action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (error instanceof ApiError) {
      notify(
        "danger",
        error.problem.message,
        [error.problem.reason, error.problem.hint].filter(Boolean).join(". "),
      );
    } else {
      notify("danger", what, error instanceof Error ? error.message : String(error));
    }
  }
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export function useNotices(): readonly Notice[] {
  return useSyncExternalStore(subscribe, () => notices);
}
