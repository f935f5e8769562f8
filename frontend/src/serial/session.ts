import type { FitAddon } from "@xterm/addon-fit";
import type { Terminal } from "@xterm/xterm";
import { hangUp } from "../api/hang-up";
import { type Attempt, Reconnect } from "../api/reconnect";
import { TERMINAL_THEME } from "./theme";

export type SerialStatus = "connecting" | "connected";

export interface SerialOptions {
  url: string;
  viewOnly: boolean;
  onStatus(status: SerialStatus): void;
  onSelection(hasSelection: boolean): void;
}

/** A terminal on the guest's serial console; connects again by itself until it is disposed of. */
export class SerialSession {
  private socket: WebSocket | null = null;
  private replaying = false;
  private readonly encoder = new TextEncoder();
  private readonly reconnect = new Reconnect((up, end) => this.open(up, end));

  private constructor(
    private readonly terminal: Terminal,
    private readonly fitter: FitAddon,
    private readonly options: SerialOptions,
  ) {}

  /** Load the terminal's code and put one into `element`. */
  static async create(element: HTMLElement, options: SerialOptions): Promise<SerialSession> {
    const [{ Terminal }, { FitAddon }] = await Promise.all([
      import("@xterm/xterm"),
      import("@xterm/addon-fit"),
      import("@xterm/xterm/css/xterm.css"),
    ]);
    const terminal = new Terminal({
      theme: TERMINAL_THEME,
      fontFamily: '"Red Hat Mono", ui-monospace, Menlo, Consolas, monospace',
      fontSize: 14,
      scrollback: 10_000,
      cursorBlink: !matchMedia("(prefers-reduced-motion: reduce)").matches,
      disableStdin: options.viewOnly,
    });
    const fitter = new FitAddon();
    terminal.loadAddon(fitter);
    terminal.open(element);
    const session = new SerialSession(terminal, fitter, options);
    session.listen();
    session.fit();
    session.reconnect.start();
    return session;
  }

  dispose(): void {
    this.reconnect.stop();
    this.terminal.dispose();
  }

  fit(): void {
    this.fitter.fit();
  }

  focus(): void {
    this.terminal.focus();
  }

  clear(): void {
    this.terminal.clear();
  }

  selection(): string {
    return this.terminal.getSelection();
  }

  /** Paste text as the terminal would, with bracketed paste where the guest asked for it. */
  paste(text: string): void {
    this.terminal.paste(text);
  }

  /** Tell the guest's shell how large the terminal is; a serial line has no other way. */
  sendSize(): void {
    this.send(`stty rows ${this.terminal.rows} cols ${this.terminal.cols}\r`);
  }

  private listen(): void {
    this.terminal.onData((data) => this.send(data));
    this.terminal.onSelectionChange(() => this.options.onSelection(this.terminal.hasSelection()));
    this.terminal.attachCustomKeyEventHandler((event) => !this.isCopy(event));
  }

  /** Ctrl+Shift+C copies, as in other terminals; it would open the developer tools otherwise. */
  private isCopy(event: KeyboardEvent): boolean {
    const copies = event.ctrlKey && event.shiftKey && event.code === "KeyC" && this.terminal.hasSelection();
    if (!copies) return false;
    event.preventDefault();
    if (event.type === "keydown") void navigator.clipboard?.writeText(this.selection());
    return true;
  }

  private send(data: string): void {
    // Old output may contain questions to the terminal; answers to those would be typed into the guest.
    if (this.replaying || this.options.viewOnly) return;
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(this.encoder.encode(data));
  }

  private open(up: () => void, end: () => void): Attempt {
    this.options.onStatus("connecting");
    const socket = new WebSocket(this.options.url);
    socket.binaryType = "arraybuffer";
    let first = true;
    socket.onopen = () => {
      up();
      this.options.onStatus("connected");
      this.terminal.reset();
    };
    socket.onmessage = (message: MessageEvent<ArrayBuffer | string>) => {
      this.receive(message.data, first);
      first = false;
    };
    socket.onclose = () => {
      if (this.socket === socket) this.options.onStatus("connecting");
      end();
    };
    this.socket = socket;
    return {
      close: () => {
        socket.onopen = null;
        socket.onmessage = null;
        hangUp(socket);
      },
    };
  }

  private receive(data: ArrayBuffer | string, isTail: boolean): void {
    const content = typeof data === "string" ? data : new Uint8Array(data);
    if (!isTail) {
      this.terminal.write(content);
      return;
    }
    this.replaying = true;
    this.terminal.write(content, () => {
      this.replaying = false;
    });
  }
}
