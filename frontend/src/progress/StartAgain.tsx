import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import PlayIcon from "@patternfly/react-icons/dist/esm/icons/play-icon";
import { useState } from "react";
import type { Machine } from "../api/types";
import { power } from "../power/power";
import { Command } from "../shell/Command";
import { useConsole } from "../state/context";

/** How to start a machine that is off: here, or in a terminal for those who may only watch. */
export function StartAgain({ machine }: { machine: Machine }) {
  const [busy, setBusy] = useState(false);
  const online = useConsole((state) => state.connection.kind === "open");
  const start = () => {
    setBusy(true);
    void power("start", machine.name).finally(() => setBusy(false));
  };
  // The banner says what to do without the console.
  if (!online) return null;
  if (!machine.view_only) {
    return (
      <Button
        icon={<PlayIcon />}
        isLoading={busy}
        isDisabled={busy}
        onClick={start}
        data-testid="start-again"
      >
        Start
      </Button>
    );
  }
  return (
    <p>
      To start it again: <Command text={`qd start ${machine.name}`} />
    </p>
  );
}
