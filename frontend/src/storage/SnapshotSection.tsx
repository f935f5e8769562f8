import CameraIcon from "@patternfly/react-icons/dist/esm/icons/camera-icon";
import { type RefObject, useEffect, useRef, useState } from "react";
import { api } from "../api/client";
import type { Machine, Snapshot } from "../api/types";
import { Section } from "../details/Section";
import { useNow } from "../hooks/use-now";
import { ActionButton } from "./ActionButton";
import { ConfirmDialog } from "./ConfirmDialog";
import { CreateDialog } from "./CreateDialog";
import { createBlocked, isLive, type Reason, restoreBlocked } from "./rules";
import { SnapshotRow } from "./SnapshotRow";
import type { Storage } from "./use-storage";
import { losses } from "./words";

interface Props {
  machine: Machine;
  storage: Storage;
  /** Why nothing can be done at all. */
  reason: Reason;
}

type Asking = { kind: "create" } | { kind: "restore" | "remove"; snapshot: Snapshot };

const REMOVAL = [
  "It cannot be gone back to any more, and its space inside the disks is free again.",
  "The disks as they are now and the other snapshots do not change.",
];

function Dialog({
  machine,
  storage,
  asking,
  onClose,
}: Omit<Props, "reason"> & { asking: Asking; onClose(): void }) {
  if (asking.kind === "create") {
    const create = (tag: string | null, memory: boolean) =>
      storage.run(
        () => api.createSnapshot(tag, memory),
        tag ? `Snapshot ‘${tag}’ is made` : "The snapshot is made",
      );
    return (
      <CreateDialog machine={machine} known={storage.snapshots ?? []} onCreate={create} onClose={onClose} />
    );
  }
  const { kind, snapshot } = asking;
  const { tag } = snapshot;
  if (kind === "remove") {
    const remove = () => storage.run(() => api.removeSnapshot(tag), `Snapshot ‘${tag}’ is removed`);
    return (
      <ConfirmDialog
        title={`Remove ‘${tag}’?`}
        verb="Remove"
        lines={REMOVAL}
        onConfirm={remove}
        onClose={onClose}
      />
    );
  }
  const live = isLive(machine.state);
  const done = live ? `The guest goes on from ‘${tag}’` : `The disks are those of ‘${tag}’`;
  return (
    <ConfirmDialog
      title={`Go back to ‘${tag}’?`}
      verb="Restore"
      lines={losses(snapshot, machine.state, storage.disks)}
      onConfirm={() => storage.run(() => api.restoreSnapshot(tag), done)}
      onClose={onClose}
    />
  );
}

/** Gives the keyboard to the list when the row that had it is gone. */
function useFocusKept(length: number): RefObject<HTMLUListElement | null> {
  const list = useRef<HTMLUListElement>(null);
  const before = useRef(length);
  useEffect(() => {
    if (length < before.current && document.activeElement === document.body) list.current?.focus();
    before.current = length;
  }, [length]);
  return list;
}

/** The snapshots, newest first, and the making of new ones. */
export function SnapshotSection({ machine, storage, reason }: Props) {
  const [asking, setAsking] = useState<Asking | null>(null);
  const now = useNow(30_000) / 1000;
  const list = useFocusKept(storage.snapshots?.length ?? 0);
  const snapshots = storage.snapshots?.toReversed();
  const blockage = reason ?? createBlocked(storage.disks);
  const create = (
    <ActionButton
      variant="primary"
      size="sm"
      icon={<CameraIcon />}
      reason={blockage}
      onClick={() => setAsking({ kind: "create" })}
      data-testid="snapshot-create"
    >
      Create snapshot
    </ActionButton>
  );
  return (
    <Section title="Snapshots" testId="snapshots" action={create}>
      {!reason && blockage && <p className="qd-muted">{blockage}</p>}
      {!reason && snapshots?.some((snapshot) => restoreBlocked(snapshot, machine.state)) && (
        <p className="qd-row__note">Those without memory can be restored when the machine is off.</p>
      )}
      {snapshots?.length === 0 && (
        <p className="qd-muted">
          None yet. A snapshot keeps the disks as they are now, so that you can go back.
        </p>
      )}
      <ul ref={list} className="qd-rows" aria-label="Snapshots" tabIndex={-1}>
        {snapshots?.map((snapshot) => (
          <SnapshotRow
            key={snapshot.tag}
            snapshot={snapshot}
            state={machine.state}
            reason={reason}
            now={now}
            onRestore={() => setAsking({ kind: "restore", snapshot })}
            onRemove={() => setAsking({ kind: "remove", snapshot })}
          />
        ))}
      </ul>
      {asking && (
        <Dialog machine={machine} storage={storage} asking={asking} onClose={() => setAsking(null)} />
      )}
    </Section>
  );
}
