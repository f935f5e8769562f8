import { Tooltip } from "@patternfly/react-core/dist/esm/components/Tooltip";
import type { Machine } from "../api/types";
import { bytes, count } from "../format/format";

const SLOWER = "Software emulation: works everywhere, several times slower than KVM";

function Accelerator({ machine }: { machine: Machine }) {
  if (!machine.accelerator) return null;
  const name = machine.accelerator.toUpperCase();
  const reason = machine.accelerator_reason || (name === "TCG" ? SLOWER : "Hardware virtualisation");
  return (
    <Tooltip content={reason}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the tooltip must be reachable by keyboard */}
      <span tabIndex={0} className="qd-hinted" data-testid="accelerator">
        {name}
      </span>
    </Tooltip>
  );
}

/** What the machine is made of, in one line. */
export function MachineFacts({ machine }: { machine: Machine }) {
  return (
    <div className="qd-facts">
      <span>{machine.arch}</span>
      <Accelerator machine={machine} />
      <span>{count(machine.cpus, "CPU")}</span>
      <span>{bytes(machine.memory)}</span>
    </div>
  );
}
