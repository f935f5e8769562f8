import { type PointerEvent, useId, useState } from "react";
import { areaPath, type Frame, linePath, nearest, type Point, xOf } from "./scale";

/** One line of a chart. */
export interface Series {
  label: string;
  points: readonly Point[];
}

interface Props {
  title: string;
  series: readonly Series[];
  max: number;
  /** Seconds since the epoch at the right edge, and how many seconds are shown. */
  end: number;
  span: number;
  /** Seconds without a sample after which the line breaks. */
  gap: number;
  /** What is written below the left and the right end. */
  from: string;
  to: string;
  format(value: number): string;
  formatTime(time: number): string;
}

const WIDTH = 240;
const HEIGHT = 48;

function Lines({ series, frame, gap }: { series: readonly Series[]; frame: Frame; gap: number }) {
  return series.map((line, index) => (
    <g key={line.label} className={`qd-chart__series qd-chart__series--${index}`}>
      <path className="qd-chart__area" d={areaPath(line.points, frame, gap)} />
      <path
        className="qd-chart__line"
        d={linePath(line.points, frame, gap)}
        vectorEffect="non-scaling-stroke"
      />
    </g>
  ));
}

/** The values of the lines at a time, or a word when there are none at all. */
function Legend({
  series,
  at,
  format,
}: {
  series: readonly Series[];
  at: number;
  format(value: number): string;
}) {
  if (series.every((line) => line.points.length === 0)) return <span className="qd-muted">not measured</span>;
  return (
    <span className="qd-chart__values">
      {series.map((line, index) => {
        const point = nearest(line.points, at);
        return (
          <span key={line.label} className={`qd-chart__value qd-chart__value--${index}`}>
            {series.length > 1 && <span className="qd-chart__label">{line.label}</span>}
            {point ? format(point.value) : "–"}
          </span>
        );
      })}
    </span>
  );
}

/** A small chart of the last minutes; its values follow the pointer. */
export function Sparkline(props: Props) {
  const { title, series, max, end, span, gap, format, formatTime } = props;
  const [hover, setHover] = useState<number | null>(null);
  const id = useId();
  const frame: Frame = { end, span, max, width: WIDTH, height: HEIGHT };
  const onMove = (event: PointerEvent<SVGSVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    setHover(end - span * (1 - (event.clientX - box.left) / box.width));
  };
  return (
    <figure className="qd-chart" aria-labelledby={id}>
      <figcaption className="qd-chart__head" id={id}>
        <span className="qd-chart__title">{title}</span>
        <Legend series={series} at={hover ?? end} format={format} />
      </figcaption>
      <div className="qd-chart__plot">
        <span className="qd-chart__max">{format(max)}</span>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          aria-hidden="true"
          onPointerMove={onMove}
          onPointerLeave={() => setHover(null)}
        >
          <path
            className="qd-chart__grid"
            d={`M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}`}
            vectorEffect="non-scaling-stroke"
          />
          <Lines series={series} frame={frame} gap={gap} />
          {hover !== null && (
            <path
              className="qd-chart__cursor"
              d={`M${xOf(hover, frame)} 0V${HEIGHT}`}
              vectorEffect="non-scaling-stroke"
            />
          )}
        </svg>
      </div>
      <div className="qd-chart__axis" aria-hidden="true">
        <span>{hover === null ? props.from : formatTime(hover)}</span>
        <span>{props.to}</span>
      </div>
    </figure>
  );
}
