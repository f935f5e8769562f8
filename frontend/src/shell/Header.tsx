import { Label } from "@patternfly/react-core/dist/esm/components/Label";
import EyeIcon from "@patternfly/react-icons/dist/esm/icons/eye-icon";
import UnlockIcon from "@patternfly/react-icons/dist/esm/icons/unlock-icon";
import type { Machine } from "../api/types";
import { PowerMenu } from "../power/PowerMenu";
import { MachineFacts } from "./MachineFacts";
import { Mark } from "./Mark";
import { StateLabel } from "./StateLabel";
import { ThemeToggle } from "./ThemeToggle";

/** The bar above everything: which machine this is, how it is, and its power button. */
export function Header({ machine }: { machine: Machine | null }) {
  return (
    <header className="qd-header">
      <span className="qd-brand" title="Quarterdeck">
        <Mark />
        <span className="qd-brand__name">Quarterdeck</span>
      </span>
      <h1 className="qd-name" title={machine?.name}>
        {machine?.name ?? "…"}
      </h1>
      {machine && <StateLabel state={machine.state} reason={machine.reason} />}
      {machine && <MachineFacts machine={machine} />}
      <div className="qd-header__tools">
        {machine?.viewer_open && (
          <Label
            color="red"
            icon={<UnlockIcon />}
            title="Whoever reaches this address owns the machine: viewer.open is set"
            data-testid="viewer-open"
          >
            Open to everybody
          </Label>
        )}
        {machine?.view_only && (
          <Label color="purple" icon={<EyeIcon />} data-testid="view-only">
            View only
          </Label>
        )}
        {machine && !machine.view_only && <PowerMenu machine={machine} />}
        <ThemeToggle />
      </div>
    </header>
  );
}
