import { Title } from "@patternfly/react-core/dist/esm/components/Title";
import type { Machine } from "../api/types";
import { duration } from "../format/format";
import { useNow } from "../hooks/use-now";
import { isOver } from "../power/rules";
import { useConsole } from "../state/context";
import { mergeSteps, STEPS, stepTitle, type TrackedStep } from "../state/progress";
import { ErrorBox } from "./ErrorBox";
import { StartAgain } from "./StartAgain";
import { StepRow } from "./StepRow";

function headline(machine: Machine): string {
  if (machine.state === "crashed") return `${machine.name} failed`;
  if (machine.state === "stopped") return `${machine.name} is off`;
  return `${machine.name} is on its way`;
}

/** All steps in order, also those that have not begun, unless the machine is over. */
function rows(steps: readonly TrackedStep[], over: boolean): { step: string; tracked: TrackedStep | null }[] {
  const known = steps.map((tracked) => ({ step: tracked.step, tracked }));
  if (over) return known;
  const rest = STEPS.filter(({ step }) => !steps.some((tracked) => tracked.step === step));
  return [...known, ...rest.map(({ step }) => ({ step, tracked: null }))];
}

function total(steps: readonly TrackedStep[], now: number): string {
  const first = steps.find((step) => step.started !== null)?.started;
  return first === undefined || first === null ? "" : duration(now - first);
}

/** Shown while there is no screen: the steps of a start, or how the machine ended. */
export function ProgressPanel({ machine }: { machine: Machine }) {
  const over = isOver(machine.state);
  const tracked = useConsole((state) => state.steps);
  const steps = mergeSteps(tracked, machine.steps);
  const now = useNow(500, !over) / 1000;
  const showSteps = !over || machine.state === "crashed";
  return (
    <section className="qd-progress" data-testid="progress" aria-label="Progress">
      <div className="qd-progress__card">
        <div className="qd-progress__head">
          <Title headingLevel="h2" size="xl">
            {headline(machine)}
          </Title>
          {!over && <span className="qd-progress__total">{total(steps, now)}</span>}
        </div>
        {machine.boot && !over && <p className="qd-muted">Boots {machine.boot}</p>}
        {machine.error && <ErrorBox error={machine.error} />}
        {over && !machine.error && machine.reason && <p className="qd-muted">{machine.reason}</p>}
        {showSteps && (
          <ol className="qd-steps">
            {rows(steps, over).map((row) => (
              <StepRow key={row.step} title={stepTitle(row.step)} step={row.tracked} now={now} />
            ))}
          </ol>
        )}
        {over && <StartAgain machine={machine} />}
      </div>
    </section>
  );
}
