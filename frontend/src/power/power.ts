import { api } from "../api/client";
import type { PowerAction } from "../api/types";
import { guarded } from "../shell/notices";
import { store } from "../state/context";

/** Ask the console for a power action and take over the machine that it answers. */
export function power(action: PowerAction, name: string): Promise<void> {
  return guarded(`Cannot ${action} ${name}`, async () => {
    store.dispatch({ type: "machine", machine: await api.power(action) });
    store.refresh();
  });
}
