/** A value at a time, in seconds since the epoch. */
export interface Point {
  time: number;
  value: number;
}

/** The window and the range that a chart shows. `end` and `span` are seconds. */
export interface Frame {
  end: number;
  span: number;
  max: number;
  width: number;
  height: number;
}

const STEPS = [1, 2, 5, 10];

/** The least round number (1, 2, 5 times a power of `base`) that is not below `value`. */
export function niceMax(value: number, base: 10 | 1024 = 10): number {
  if (!(value > 0)) return 1;
  const whole = base ** Math.floor(Math.log(value) / Math.log(base));
  const steps = base === 10 ? STEPS : [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];
  return whole * (steps.find((step) => whole * step >= value) ?? base);
}

/** The x coordinate of a time. */
export function xOf(time: number, frame: Frame): number {
  return frame.width * (1 - (frame.end - time) / frame.span);
}

/** The y coordinate of a value; what is above the range is drawn at its edge. */
export function yOf(value: number, frame: Frame): number {
  return frame.height * (1 - Math.min(Math.max(value / frame.max, 0), 1));
}

const round = (value: number) => Number(value.toFixed(2));

/** Runs of points without a gap longer than `gap` seconds: a machine that was off draws no line. */
export function runs(points: readonly Point[], gap: number): Point[][] {
  const result: Point[][] = [];
  let last = Number.NEGATIVE_INFINITY;
  for (const point of points) {
    const run = result.at(-1);
    if (run && point.time - last <= gap) run.push(point);
    else result.push([point]);
    last = point.time;
  }
  return result;
}

/** The SVG path of a line through the points. */
export function linePath(points: readonly Point[], frame: Frame, gap: number): string {
  return runs(points, gap)
    .map((run) => run.map((point, at) => `${at ? "L" : "M"}${place(point, frame)}`).join(""))
    .join("");
}

/** The SVG path of the area between the points and the axis. */
export function areaPath(points: readonly Point[], frame: Frame, gap: number): string {
  return runs(points, gap)
    .map((run) => {
      const line = run.map((point) => `L${place(point, frame)}`).join("");
      const first = round(xOf(run[0]?.time ?? 0, frame));
      const last = round(xOf(run.at(-1)?.time ?? 0, frame));
      return `M${first} ${frame.height}${line}L${last} ${frame.height}Z`;
    })
    .join("");
}

function place(point: Point, frame: Frame): string {
  return `${round(xOf(point.time, frame))} ${round(yOf(point.value, frame))}`;
}

/** The point nearest to a time; null when there is none. */
export function nearest(points: readonly Point[], time: number): Point | null {
  let best: Point | null = null;
  for (const point of points) {
    if (!best || Math.abs(point.time - time) < Math.abs(best.time - time)) best = point;
  }
  return best;
}
