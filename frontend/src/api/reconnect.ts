/** Something that can be opened; it reports its end once through `onEnd`. */
export interface Attempt {
  close(): void;
}

const FIRST = 400;
const LONGEST = 5000;

/**
 * Keeps one connection open while it is wanted: opens it, and opens it again after growing pauses when it ends.
 *
 * `open` gets two callbacks: `up` when the connection works, `end` when it is over.
 */
export class Reconnect {
  private current: Attempt | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wanted = false;
  private failures = 0;
  private generation = 0;

  constructor(private readonly open: (up: () => void, end: () => void) => Attempt) {}

  /** Want the connection, now; harmless when it is already there. */
  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.failures = 0;
    this.attempt();
  }

  /** Close it and leave it closed. */
  stop(): void {
    this.wanted = false;
    this.generation += 1;
    clearTimeout(this.timer);
    this.current?.close();
    this.current = null;
  }

  private attempt(): void {
    const generation = ++this.generation;
    const up = () => {
      if (generation === this.generation) this.failures = 0;
    };
    const end = () => {
      if (generation === this.generation) this.again();
    };
    this.current = this.open(up, end);
  }

  private again(): void {
    this.generation += 1;
    this.current = null;
    if (!this.wanted) return;
    const delay = Math.min(LONGEST, FIRST * 2 ** this.failures);
    this.failures += 1;
    this.timer = setTimeout(() => this.attempt(), delay);
  }
}
