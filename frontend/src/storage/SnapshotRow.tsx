import { Label } from "@patternfly/react-core/dist/esm/components/Label";
import TrashIcon from "@patternfly/react-icons/dist/esm/icons/trash-icon";
import UndoIcon from "@patternfly/react-icons/dist/esm/icons/undo-icon";
import type { MachineState, Snapshot } from "../api/types";
import { moment } from "../format/format";
import { ActionButton } from "./ActionButton";
import { type Reason, restoreBlocked } from "./rules";
import { ago, CONSISTENCY, enumerate } from "./words";

interface Props {
  snapshot: Snapshot;
  state: MachineState;
  /** Why nothing can be done at all. */
  reason: Reason;
  /** Seconds since the epoch. */
  now: number;
  onRestore(): void;
  onRemove(): void;
}

/** One snapshot: its name, what it holds, and what can be done with it. */
export function SnapshotRow({ snapshot, state, reason, now, onRestore, onRemove }: Props) {
  const { tag, created, memory, consistency, disks } = snapshot;
  const { label, meaning } = CONSISTENCY[consistency];
  return (
    <li className="qd-row" data-testid="snapshot" data-tag={tag}>
      <div className="qd-row__body">
        <div className="qd-row__head">
          <span className="qd-row__name">{tag}</span>
          <Label isCompact color={memory ? "purple" : consistency === "crash" ? "grey" : "teal"}>
            {label}
          </Label>
        </div>
        <span className="qd-row__note">
          <time dateTime={new Date(created * 1000).toISOString()}>{moment(created)}</time>
          {`, ${ago(created, now)}`}
        </span>
        <span className="qd-row__note">{`${meaning} · ${enumerate(disks)}`}</span>
      </div>
      <div className="qd-row__actions">
        <ActionButton
          variant="secondary"
          size="sm"
          icon={<UndoIcon />}
          reason={reason ?? restoreBlocked(snapshot, state)}
          onClick={onRestore}
          aria-label={`Restore ${tag}`}
          data-testid="snapshot-restore"
        >
          Restore
        </ActionButton>
        <ActionButton
          variant="link"
          isDanger
          size="sm"
          icon={<TrashIcon />}
          reason={reason}
          onClick={onRemove}
          aria-label={`Remove ${tag}`}
          data-testid="snapshot-remove"
        >
          Remove
        </ActionButton>
      </div>
    </li>
  );
}
