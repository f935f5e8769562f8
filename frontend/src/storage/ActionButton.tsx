import { Button, type ButtonProps } from "@patternfly/react-core/dist/esm/components/Button";
import { Tooltip } from "@patternfly/react-core/dist/esm/components/Tooltip";
import type { Reason } from "./rules";

interface Props extends Omit<ButtonProps, "ref" | "isDisabled" | "isAriaDisabled"> {
  reason: Reason;
}

/** A button that says why it cannot be pressed; it can be reached by keyboard all the same. */
export function ActionButton({ reason, ...rest }: Props) {
  return (
    <Tooltip
      content={reason ?? ""}
      trigger={reason ? "mouseenter focus" : "manual"}
      aria={reason ? "describedby" : "none"}
    >
      <Button isAriaDisabled={reason !== null} {...rest} />
    </Tooltip>
  );
}
