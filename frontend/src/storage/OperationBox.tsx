import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Progress, ProgressMeasureLocation } from "@patternfly/react-core/dist/esm/components/Progress";
import { Spinner } from "@patternfly/react-core/dist/esm/components/Spinner";
import { amount, duration } from "../format/format";
import { useNow } from "../hooks/use-now";
import type { Operation } from "../state/operation";

interface Props {
  operation: Operation;
  cancelling: boolean;
  /** Absent for those who may only watch. */
  onCancel?: () => void;
}

function Bar({ what, done, total }: Operation) {
  if (done === null || !total) return null;
  const value = Math.min(100, (done / total) * 100);
  return (
    <Progress
      size="sm"
      aria-label={what}
      value={value}
      label={`${Math.floor(value)} %`}
      measureLocation={ProgressMeasureLocation.outside}
    />
  );
}

/** The operation that is under way: what it does, for how long, how far it is, and a way out. */
export function OperationBox({ operation, cancelling, onCancel }: Props) {
  const now = useNow(500) / 1000;
  const { what, started, done, total } = operation;
  const elapsed = started === null ? "" : duration(Math.max(0, now - started));
  return (
    <section className="qd-operation" aria-label="Operation under way" data-testid="storage-operation">
      <Spinner size="md" aria-hidden="true" />
      <div className="qd-operation__body">
        <div className="qd-operation__head">
          <span className="qd-operation__what" role="status">
            {what.charAt(0).toUpperCase() + what.slice(1)}
          </span>
          <span className="qd-operation__note">
            {[amount(done, total, "bytes"), elapsed].filter(Boolean).join(" · ")}
          </span>
        </div>
        <Bar {...operation} />
      </div>
      {onCancel && (
        <Button
          variant="secondary"
          size="sm"
          isDisabled={cancelling}
          isLoading={cancelling}
          onClick={onCancel}
          data-testid="storage-cancel"
        >
          {cancelling ? "Cancelling" : "Cancel"}
        </Button>
      )}
    </section>
  );
}
