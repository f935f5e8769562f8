import { api, isLoggedOut } from "./client";
import { SseParser } from "./sse";
import type { EventType, MachineEvent } from "./types";

/** How the page and the console hang together. `retryAt` is in milliseconds since the epoch. */
export type Connection =
  | { kind: "connecting" }
  | { kind: "open" }
  | { kind: "lost"; retryAt: number; attempts: number }
  | { kind: "logged-out" };

export interface StreamHandlers {
  /** The stream is open. `resumed` is false when the whole history follows. */
  onOpen(resumed: boolean): void;
  onEvent(event: MachineEvent): void;
  onConnection(connection: Connection): void;
}

/** What the stream needs of the world; tests replace it. */
export interface StreamWorld {
  connect(lastId: number, signal: AbortSignal): Promise<Response>;
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  now(): number;
}

const TYPES: ReadonlySet<string> = new Set<EventType>([
  "step",
  "state",
  "message",
  "qemu",
  "metrics",
  "guest",
]);
const FIRST_DELAY = 500;
const LONGEST_DELAY = 8000;
/** A line that has said nothing for so long may be dead without either end knowing: it is made anew. */
const SILENCE = 60_000;

/** How long to wait before the next attempt, in milliseconds; `attempts` have failed in a row. */
export function retryDelay(attempts: number): number {
  return Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.max(0, attempts - 1));
}

/** Sleep that ends early, without an error, when `signal` aborts or the network comes back. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      globalThis.removeEventListener?.("online", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
    globalThis.addEventListener?.("online", done);
  });
}

const BROWSER: StreamWorld = { connect: api.events, sleep, now: Date.now };

/** Turn a message of the wire into an event; null for unknown types, which later versions may add. */
export function decode(message: { id: string; type: string; data: string }): MachineEvent | null {
  if (!TYPES.has(message.type)) return null;
  try {
    return {
      id: Number(message.id) || 0,
      type: message.type,
      data: JSON.parse(message.data),
    } as MachineEvent;
  } catch {
    return null;
  }
}

/** Follows `/events` until stopped: resumes after short breaks, starts over when the console was replaced. */
export class EventStream {
  private readonly abort = new AbortController();
  private lastId = 0;
  private attempts = 0;
  private silent = false;

  constructor(
    private readonly handlers: StreamHandlers,
    private readonly world: StreamWorld = BROWSER,
  ) {}

  stop(): void {
    this.abort.abort();
  }

  /** Run until `stop` or until the session is refused. */
  async run(): Promise<void> {
    this.handlers.onConnection({ kind: "connecting" });
    while (!this.abort.signal.aborted) {
      try {
        await this.once();
      } catch (error) {
        if (isLoggedOut(error)) {
          this.handlers.onConnection({ kind: "logged-out" });
          return;
        }
      }
      await this.pause();
    }
  }

  private async once(): Promise<void> {
    const line = new AbortController();
    const stop = () => line.abort();
    const renew = () => {
      this.silent = true;
      line.abort();
    };
    this.abort.signal.addEventListener("abort", stop);
    let watchdog = setTimeout(renew, SILENCE);
    try {
      const response = await this.world.connect(this.lastId, line.signal);
      if (!response.body) return;
      this.opened();
      const parser = new SseParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        clearTimeout(watchdog);
        watchdog = setTimeout(renew, SILENCE);
        for (const message of parser.push(part.value)) this.deliver(message);
      }
    } finally {
      clearTimeout(watchdog);
      this.abort.signal.removeEventListener("abort", stop);
    }
  }

  private opened(): void {
    this.attempts = 0;
    this.handlers.onOpen(this.lastId > 0);
    this.handlers.onConnection({ kind: "open" });
  }

  private deliver(message: { id: string; type: string; data: string }): void {
    const event = decode(message);
    if (!event) return;
    // Numbers that do not grow come from a new supervisor, whose history starts over.
    if (event.id > 0 && event.id <= this.lastId) this.handlers.onOpen(false);
    this.lastId = event.id;
    this.handlers.onEvent(event);
  }

  private async pause(): Promise<void> {
    if (this.abort.signal.aborted) return;
    if (this.silent) {
      // Nothing is known to be wrong: connect again at once and without a word.
      this.silent = false;
      return;
    }
    this.attempts += 1;
    // A console that could not be reached is probably a new one when it comes back: ask for its whole history.
    if (this.attempts > 1) this.lastId = 0;
    const delay = retryDelay(this.attempts);
    this.handlers.onConnection({ kind: "lost", retryAt: this.world.now() + delay, attempts: this.attempts });
    await this.world.sleep(delay, this.abort.signal);
  }
}
