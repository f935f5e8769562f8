import { EmptyState, EmptyStateBody } from "@patternfly/react-core/dist/esm/components/EmptyState";
import DesktopIcon from "@patternfly/react-icons/dist/esm/icons/desktop-icon";

/** Says why there is nothing to see, and where to look instead. */
export function NoScreen() {
  return (
    <div className="qd-empty" data-testid="no-screen">
      <EmptyState headingLevel="h2" icon={DesktopIcon} titleText="This machine has no screen">
        <EmptyStateBody>
          It was made with display: none. The guest talks on its serial console.
        </EmptyStateBody>
      </EmptyState>
    </div>
  );
}
