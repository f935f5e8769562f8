import { Title } from "@patternfly/react-core/dist/esm/components/Title";
import type { Machine, Sample } from "../api/types";
import { bytes, clock, percent, rate } from "../format/format";
import { hasScreen } from "../power/rules";
import { useConsole } from "../state/context";
import { WINDOW } from "../state/reducer";
import { Sparkline } from "./Sparkline";
import { niceMax, type Point } from "./scale";

/** Three samples missed. */
const GAP = 7;
/** The least range of the rate charts, in bytes per second, so that noise looks like noise. */
const QUIET = 64 * 1024;

type Field = Exclude<keyof Sample, "time">;

function line(samples: readonly Sample[], field: Field): Point[] {
  return samples.flatMap((sample) => {
    const value = sample[field];
    return value === null || value === undefined ? [] : [{ time: sample.time, value }];
  });
}

function top(samples: readonly Sample[], fields: readonly Field[]): number {
  return Math.max(0, ...fields.flatMap((field) => samples.map((sample) => sample[field] ?? 0)));
}

/** CPU, memory, disk and network use of the machine over the last ten minutes. */
export function Charts({ machine }: { machine: Machine }) {
  const samples = useConsole((state) => state.samples);
  const end = samples.at(-1)?.time ?? 0;
  const live = end > 0 && hasScreen(machine.state);
  const ends = live ? { from: "10 min ago", to: "now" } : { from: "", to: end > 0 ? clock(end) : "" };
  const common = { ...ends, end, span: WINDOW, gap: GAP, formatTime: clock };
  const rateMax = (fields: Field[]) => niceMax(Math.max(QUIET, top(samples, fields)), 1024);
  return (
    <section className="qd-charts" data-testid="charts" aria-label="Use of the host">
      <Title headingLevel="h2" size="md">
        Use of the host
      </Title>
      <Sparkline
        {...common}
        title="CPU"
        series={[{ label: "CPU", points: line(samples, "cpu") }]}
        max={100 * machine.cpus}
        format={percent}
      />
      <Sparkline
        {...common}
        title="Memory"
        series={[{ label: "Memory", points: line(samples, "memory") }]}
        max={Math.max(machine.memory, top(samples, ["memory"]))}
        format={bytes}
      />
      <Sparkline
        {...common}
        title="Disk"
        series={[
          { label: "read", points: line(samples, "disk_read") },
          { label: "write", points: line(samples, "disk_write") },
        ]}
        max={rateMax(["disk_read", "disk_write"])}
        format={rate}
      />
      <Sparkline
        {...common}
        title="Network"
        series={[
          { label: "in", points: line(samples, "net_rx") },
          { label: "out", points: line(samples, "net_tx") },
        ]}
        max={rateMax(["net_rx", "net_tx"])}
        format={rate}
      />
    </section>
  );
}
