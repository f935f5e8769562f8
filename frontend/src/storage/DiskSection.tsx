import ExpandArrowsAltIcon from "@patternfly/react-icons/dist/esm/icons/expand-arrows-alt-icon";
import { useState } from "react";
import { api } from "../api/client";
import type { Disk, Machine } from "../api/types";
import { Section } from "../details/Section";
import { bytes } from "../format/format";
import { ActionButton } from "./ActionButton";
import { GrowDialog } from "./GrowDialog";
import { disksAreKnown, type Reason } from "./rules";
import type { Storage } from "./use-storage";

interface Props {
  machine: Machine;
  storage: Storage;
  /** Why nothing can be done at all. */
  reason: Reason;
}

function DiskRow({ disk, reason, onGrow }: { disk: Disk; reason: Reason; onGrow(): void }) {
  return (
    <li className="qd-row" data-testid="disk" data-disk={disk.name}>
      <div className="qd-row__body">
        <div className="qd-row__head">
          <span className="qd-row__name">{disk.name}</span>
          <span className="qd-row__size" data-testid="disk-size">
            {bytes(disk.size)}
          </span>
        </div>
        <span className="qd-row__note">{`${disk.format} · takes ${bytes(disk.used)} on the host`}</span>
        {disk.path && <code className="qd-row__path">{disk.path}</code>}
      </div>
      <div className="qd-row__actions">
        <ActionButton
          variant="secondary"
          size="sm"
          icon={<ExpandArrowsAltIcon />}
          reason={reason}
          onClick={onGrow}
          aria-label={`Grow ${disk.name}`}
          data-testid="disk-grow"
        >
          Grow
        </ActionButton>
      </div>
    </li>
  );
}

/** The disks that the machine writes, and how they grow. */
export function DiskSection({ machine, storage, reason }: Props) {
  const [growing, setGrowing] = useState<Disk | null>(null);
  const grow = (disk: Disk, size: number) =>
    storage.run(() => api.growDisk(disk.disk, size), `${disk.name} has ${bytes(size)} now`);
  return (
    <Section title="Disks" testId="disks">
      {storage.disks?.length === 0 && <p className="qd-muted">The machine has no disk that it writes.</p>}
      {!disksAreKnown(machine.state) && (
        <p className="qd-muted">They are shown when the machine runs or is off.</p>
      )}
      <ul className="qd-rows" aria-label="Disks">
        {storage.disks?.map((disk) => (
          <DiskRow key={disk.disk} disk={disk} reason={reason} onGrow={() => setGrowing(disk)} />
        ))}
      </ul>
      {growing && (
        <GrowDialog
          disk={growing}
          state={machine.state}
          onGrow={(size) => grow(growing, size)}
          onClose={() => setGrowing(null)}
        />
      )}
    </Section>
  );
}
