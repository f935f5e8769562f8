import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import {
  EmptyState,
  EmptyStateActions,
  EmptyStateBody,
  EmptyStateFooter,
} from "@patternfly/react-core/dist/esm/components/EmptyState";
import CameraIcon from "@patternfly/react-icons/dist/esm/icons/camera-icon";
import DesktopIcon from "@patternfly/react-icons/dist/esm/icons/desktop-icon";
import type { Machine } from "../api/types";

interface Props {
  machine: Machine;
  onScreenshot(): void;
}

/** Says why there is nothing to see, and where to look instead. */
export function NoScreen({ machine, onScreenshot }: Props) {
  const spice = machine.display === "spice";
  return (
    <div className="qd-empty" data-testid="no-screen">
      <EmptyState
        headingLevel="h2"
        icon={DesktopIcon}
        titleText={spice ? "The screen speaks SPICE" : "This machine has no screen"}
      >
        <EmptyStateBody>
          {spice
            ? "This page shows VNC screens only. A SPICE client such as remote-viewer opens the socket spice.sock in the machine's folder."
            : "It was made with display: none. The guest talks on its serial console."}
        </EmptyStateBody>
        {spice && (
          <EmptyStateFooter>
            <EmptyStateActions>
              <Button
                variant="secondary"
                icon={<CameraIcon />}
                onClick={onScreenshot}
                data-testid="screenshot"
              >
                Save a screenshot
              </Button>
            </EmptyStateActions>
          </EmptyStateFooter>
        )}
      </EmptyState>
    </div>
  );
}
