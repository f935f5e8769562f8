import { bytes } from "../format/format";

export const UNITS = { MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const;
export type Unit = keyof typeof UNITS;

/** The console counts bytes in 63 bits, scripts whole numbers in 53: no disk is larger. */
const LARGEST = Number.MAX_SAFE_INTEGER;

export interface Wish {
  /** Bytes; null when it is no size. */
  size: number | null;
  problem: string | null;
}

/** The unit in which a size is best changed. */
export function unitFor(size: number): Unit {
  if (size >= UNITS.TiB) return "TiB";
  return size >= UNITS.GiB ? "GiB" : "MiB";
}

/** The amount to begin with: the present size, rounded up so that it is no smaller. */
export function amountFor(size: number, unit: Unit): string {
  return String(Math.ceil((size / UNITS[unit]) * 100) / 100);
}

/** What was typed as the new size of a disk that has `now` bytes. */
export function readSize(amount: string, unit: Unit, now: number): Wish {
  const value = Number(amount.trim().replace(",", "."));
  if (amount.trim() === "" || !Number.isFinite(value)) return { size: null, problem: "This is no number." };
  const size = Math.round(value * UNITS[unit]);
  if (size <= now) return { size: null, problem: `A disk can only grow: more than ${bytes(now)}.` };
  return size > LARGEST ? { size: null, problem: "No disk can be so large." } : { size, problem: null };
}
