import { EmptyState, EmptyStateBody } from "@patternfly/react-core/dist/esm/components/EmptyState";
import TerminalIcon from "@patternfly/react-icons/dist/esm/icons/terminal-icon";

/** Says that the machine was made without a serial console. */
export function NoSerial() {
  return (
    <div className="qd-empty">
      <EmptyState headingLevel="h2" icon={TerminalIcon} titleText="This machine has no serial console">
        <EmptyStateBody>It was made with serial: false.</EmptyStateBody>
      </EmptyState>
    </div>
  );
}
