import BoltIcon from "@patternfly/react-icons/dist/esm/icons/bolt-icon";
import PauseIcon from "@patternfly/react-icons/dist/esm/icons/pause-icon";
import PlayIcon from "@patternfly/react-icons/dist/esm/icons/play-icon";
import PowerOffIcon from "@patternfly/react-icons/dist/esm/icons/power-off-icon";
import RedoIcon from "@patternfly/react-icons/dist/esm/icons/redo-icon";
import SyncAltIcon from "@patternfly/react-icons/dist/esm/icons/sync-alt-icon";
import type { ReactNode } from "react";
import type { PowerAction } from "../api/types";

export interface PowerItem {
  action: PowerAction;
  testId: string;
  label: string;
  description: string;
  icon: ReactNode;
  divided?: boolean;
  /** What may be lost; asked before the action is done. */
  confirm?: string;
}

const LOSS = "The guest gets no chance to save anything. What it has not written to its disks is lost.";

export const ITEMS: readonly PowerItem[] = [
  {
    action: "start",
    testId: "power-start",
    label: "Start",
    description: "Boot the machine",
    icon: <PlayIcon />,
  },
  {
    action: "stop",
    testId: "power-stop",
    label: "Stop",
    description: "Ask the guest to shut down",
    icon: <PowerOffIcon />,
  },
  {
    action: "restart",
    testId: "power-restart",
    label: "Restart",
    description: "Shut down, then start again",
    icon: <RedoIcon />,
  },
  {
    action: "pause",
    testId: "power-pause",
    label: "Pause",
    description: "Halt the processors, keep everything in memory",
    icon: <PauseIcon />,
    divided: true,
  },
  {
    action: "resume",
    testId: "power-resume",
    label: "Resume",
    description: "Go on where the guest was halted",
    icon: <PlayIcon />,
  },
  {
    action: "reset",
    testId: "power-reset",
    label: "Reset…",
    description: "Like the reset button",
    icon: <SyncAltIcon />,
    divided: true,
    confirm: LOSS,
  },
  {
    action: "kill",
    testId: "power-force",
    label: "Force stop…",
    description: "Like pulling the plug",
    icon: <BoltIcon />,
    confirm: LOSS,
  },
];
