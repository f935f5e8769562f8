import { createContext, useContext, useSyncExternalStore } from "react";
import type { ConsoleState } from "./reducer";
import { ConsoleStore } from "./store";

export const store = new ConsoleStore();

const StoreContext = createContext(store);

/** One part of the page's state; the component is drawn again when that part changes. */
export function useConsole<T>(select: (state: ConsoleState) => T): T {
  const { subscribe, getState } = useContext(StoreContext);
  return useSyncExternalStore(subscribe, () => select(getState()));
}
