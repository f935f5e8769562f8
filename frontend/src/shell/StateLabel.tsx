import { Label } from "@patternfly/react-core/dist/esm/components/Label";
import { Spinner } from "@patternfly/react-core/dist/esm/components/Spinner";
import { Tooltip } from "@patternfly/react-core/dist/esm/components/Tooltip";
import CheckCircleIcon from "@patternfly/react-icons/dist/esm/icons/check-circle-icon";
import ExclamationCircleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon";
import PauseCircleIcon from "@patternfly/react-icons/dist/esm/icons/pause-circle-icon";
import PlayCircleIcon from "@patternfly/react-icons/dist/esm/icons/play-circle-icon";
import PowerOffIcon from "@patternfly/react-icons/dist/esm/icons/power-off-icon";
import type { MachineState } from "../api/types";
import { LOOKS, type StateLook } from "./states";

const ICONS: Record<StateLook["icon"], React.ReactNode> = {
  busy: <Spinner isInline aria-hidden="true" />,
  on: <PlayCircleIcon />,
  ready: <CheckCircleIcon />,
  paused: <PauseCircleIcon />,
  off: <PowerOffIcon />,
  failed: <ExclamationCircleIcon />,
};

/** The machine's state as colour, icon and word; screen readers hear of each change. */
export function StateLabel({ state, reason }: { state: MachineState; reason: string | null }) {
  const look = LOOKS[state];
  return (
    <Tooltip content={reason ? `${look.meaning}. ${reason}` : look.meaning}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the tooltip must be reachable by keyboard */}
      <span role="status" tabIndex={0} className="qd-state" data-testid="state" data-state={state}>
        <Label color={look.color} icon={ICONS[look.icon]}>
          {look.text}
        </Label>
      </span>
    </Tooltip>
  );
}
