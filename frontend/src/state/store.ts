import { api, isLoggedOut } from "../api/client";
import { EventStream } from "../api/event-stream";
import type { MachineEvent } from "../api/types";
import { type Action, type ConsoleState, INITIAL, reduce } from "./reducer";

const REFRESH_DELAY = 150;

/** Holds the state of the page, follows the machine's events, and tells the components when something changed. */
export class ConsoleStore {
  private state = INITIAL;
  private readonly listeners = new Set<() => void>();
  private stream: EventStream | null = null;
  private refreshTimer: ReturnType<typeof setTimeout> | undefined;
  private notifyTimer: ReturnType<typeof setTimeout> | undefined;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly getState = (): ConsoleState => this.state;

  readonly dispatch = (action: Action): void => {
    this.state = reduce(this.state, action);
    // A history of thousands of events comes in one piece and is drawn once.
    this.notifyTimer ??= setTimeout(() => {
      this.notifyTimer = undefined;
      for (const listener of this.listeners) listener();
    }, 16);
  };

  /** Follow the machine until the returned function is called. */
  start(): () => void {
    const stream = new EventStream({
      onOpen: (resumed) => {
        if (!resumed) this.dispatch({ type: "history" });
        this.load();
      },
      onEvent: (event) => this.onEvent(event),
      onConnection: (connection) => this.dispatch({ type: "connection", connection }),
    });
    this.stream = stream;
    void stream.run();
    return () => {
      stream.stop();
      clearTimeout(this.refreshTimer);
      if (this.stream === stream) this.stream = null;
    };
  }

  /** Ask for the machine soon; several wishes become one request. */
  readonly refresh = (): void => {
    clearTimeout(this.refreshTimer);
    this.refreshTimer = setTimeout(() => {
      void this.attempt(async () => this.dispatch({ type: "machine", machine: await api.machine() }));
    }, REFRESH_DELAY);
  };

  private load(): void {
    this.refresh();
    void this.attempt(async () => this.dispatch({ type: "metrics", samples: (await api.metrics()).samples }));
    void this.attempt(async () => this.dispatch({ type: "guest", guest: await api.guest() }));
  }

  private onEvent(event: MachineEvent): void {
    this.dispatch({ type: "event", event });
    if (event.type === "state" || (event.type === "step" && event.data.status === "failed")) this.refresh();
  }

  /** Failures of these requests need no words of their own: the stream sees the same trouble and reports it. */
  private async attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (isLoggedOut(error)) {
        this.stream?.stop();
        this.dispatch({ type: "connection", connection: { kind: "logged-out" } });
      }
    }
  }
}
