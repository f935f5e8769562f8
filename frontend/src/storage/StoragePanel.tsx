import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import type { Machine } from "../api/types";
import { ErrorBox } from "../progress/ErrorBox";
import { useConsole } from "../state/context";
import { isOffline } from "../state/reducer";
import { DiskSection } from "./DiskSection";
import { OperationBox } from "./OperationBox";
import { blocked } from "./rules";
import { SnapshotSection } from "./SnapshotSection";
import { useStorage } from "./use-storage";

/** The Storage tab: snapshots and disks, and what is being done with them. */
export function StoragePanel({ machine }: { machine: Machine }) {
  const storage = useStorage(machine);
  const operation = useConsole((state) => state.operation);
  const offline = useConsole(isOffline);
  const reason = blocked({ machine, offline, pending: storage.pending, operation });
  const busy = operation !== null || storage.pending;
  return (
    <div className="qd-storage" data-testid="storage" aria-busy={busy}>
      {operation && (
        <OperationBox
          operation={operation}
          cancelling={storage.cancelling}
          onCancel={machine.view_only ? undefined : storage.cancel}
        />
      )}
      {storage.problem && <ErrorBox error={storage.problem} />}
      {storage.error && <ErrorBox error={storage.error} onClose={storage.dismiss} />}
      {reason && !busy && (
        <Alert isInline isPlain variant="info" title={reason} data-testid="storage-reason" />
      )}
      <SnapshotSection machine={machine} storage={storage} reason={reason} />
      <DiskSection machine={machine} storage={storage} reason={reason} />
    </div>
  );
}
