import { Progress, ProgressMeasureLocation } from "@patternfly/react-core/dist/esm/components/Progress";
import { Spinner } from "@patternfly/react-core/dist/esm/components/Spinner";
import CheckCircleIcon from "@patternfly/react-icons/dist/esm/icons/check-circle-icon";
import ExclamationCircleIcon from "@patternfly/react-icons/dist/esm/icons/exclamation-circle-icon";
import { amount, duration } from "../format/format";
import type { TrackedStep } from "../state/progress";

export type RowStatus = TrackedStep["status"] | "waiting";

const ICONS: Record<RowStatus, React.ReactNode> = {
  waiting: <span className="qd-step__dot" />,
  running: <Spinner isInline aria-hidden="true" />,
  done: <CheckCircleIcon className="qd-good" />,
  failed: <ExclamationCircleIcon className="qd-bad" />,
};
const WORDS: Record<RowStatus, string> = {
  waiting: "not begun",
  running: "under way",
  done: "done",
  failed: "failed",
};

function elapsed(step: TrackedStep, now: number): string {
  if (step.started === null) return "";
  const seconds = (step.ended ?? now) - step.started;
  return seconds < 0.05 ? "" : duration(seconds);
}

function Bar({ step, title }: { step: TrackedStep; title: string }) {
  if (step.status !== "running" || step.done === null || !step.total) return null;
  const value = Math.min(100, (step.done / step.total) * 100);
  return (
    <Progress
      size="sm"
      aria-label={title}
      value={value}
      label={`${Math.floor(value)} %`}
      measureLocation={ProgressMeasureLocation.outside}
    />
  );
}

interface Props {
  title: string;
  step: TrackedStep | null;
  /** Seconds since the epoch. */
  now: number;
}

/** One step of a start: icon, words, bar and time. */
export function StepRow({ title, step, now }: Props) {
  const status: RowStatus = step?.status ?? "waiting";
  const count = step?.status === "running" ? amount(step.done, step.total, step.unit) : "";
  return (
    <li className={`qd-step qd-step--${status}`} aria-current={status === "running" ? "step" : undefined}>
      <span className="qd-step__icon">{ICONS[status]}</span>
      <div className="qd-step__body">
        <div className="qd-step__head">
          <span className="qd-step__title">{title}</span>
          <span className="pf-v6-screen-reader">{WORDS[status]}</span>
          <span className="qd-step__time">{step && elapsed(step, now)}</span>
        </div>
        {(step?.detail || count) && (
          <div className="qd-step__detail">
            <span>{step?.detail}</span>
            <span className="qd-step__count">{count}</span>
          </div>
        )}
        {step && <Bar step={step} title={title} />}
      </div>
    </li>
  );
}
