const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** Bytes with a binary unit and about three digits: `512 B`, `1.5 KiB`, `2 GiB`. */
export function bytes(value: number): string {
  if (!Number.isFinite(value) || value < 0) return "–";
  let unit = 0;
  let rest = value;
  // 1023.5 would be shown as 1024.
  while (rest >= 1023.5 && unit < BINARY.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || rest >= 100 ? 0 : rest >= 10 ? 1 : 2;
  return `${Number(rest.toFixed(digits))} ${BINARY[unit]}`;
}

/** Bytes per second. */
export function rate(value: number): string {
  const text = bytes(value);
  return text === "–" ? text : `${text}/s`;
}

/** A percentage without needless digits. */
export function percent(value: number): string {
  return `${value >= 10 ? Math.round(value) : Number(value.toFixed(1))} %`;
}

/** Seconds as people say them: `4.2 s`, `1 min 5 s`, `2 h 3 min`, `5 d 4 h`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, seconds);
  if (whole < 9.95) return `${Number(whole.toFixed(1))} s`;
  const s = Math.round(whole);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}

/** Time of day of a moment in seconds since the epoch, in the reader's zone, always with seconds. */
export function clock(time: number): string {
  return new Date(time * 1000).toLocaleTimeString(undefined, { hour12: false });
}

/** Date and time, for tooltips. */
export function moment(time: number): string {
  return new Date(time * 1000).toLocaleString();
}

/** `1 CPU`, `2 CPUs`. */
export function count(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? "" : "s"}`;
}

/** Progress of a step: `12 MiB of 80 MiB`, `3 of 5`, or only what is done. */
export function amount(done: number | null, total: number | null, unit: string): string {
  if (done === null) return "";
  const show = unit === "bytes" ? bytes : String;
  const tail = unit === "bytes" || unit === "steps" ? "" : ` ${unit}`;
  return total === null ? `${show(done)}${tail}` : `${show(done)} of ${show(total)}${tail}`;
}
