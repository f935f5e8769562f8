import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import type { ApiProblem } from "../api/types";

/** An error: what happened, why, and how to go on. */
export function ErrorBox({ error }: { error: ApiProblem }) {
  return (
    <Alert isInline variant="danger" title={error.message} data-testid="error">
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
