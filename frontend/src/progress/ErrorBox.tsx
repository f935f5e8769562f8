import { Alert, AlertActionCloseButton } from "@patternfly/react-core/dist/esm/components/Alert";
import type { ApiProblem } from "../api/types";

interface Props {
  error: ApiProblem;
  /** Puts it away; absent where it stays. */
  onClose?: () => void;
}

/** An error: what happened, why, and how to go on. */
export function ErrorBox({ error, onClose }: Props) {
  const close = onClose && <AlertActionCloseButton title={error.message} onClose={onClose} />;
  return (
    <Alert isInline variant="danger" title={error.message} actionClose={close} data-testid="error">
      {error.reason && <p className="qd-reason">{error.reason}</p>}
      {error.hint && (
        <p>
          <strong>What helps: </strong>
          {error.hint}
        </p>
      )}
    </Alert>
  );
}
