import type RFB from "@novnc/novnc";
import { hangUp } from "../api/hang-up";
import { type Attempt, Reconnect } from "../api/reconnect";

/** How the connection to the guest's screen stands. */
export type ScreenStatus = "off" | "connecting" | "connected" | "refused";

export interface ScreenSize {
  width: number;
  height: number;
}

export interface ScreenHandlers {
  onStatus(status: ScreenStatus): void;
  onSize(size: ScreenSize): void;
}

/** One viewer of the guest's screen inside an element; connects again by itself until it is stopped. */
export class ScreenSession {
  private rfb: RFB | null = null;
  private scale = true;
  private viewOnly = false;
  private readonly reconnect: Reconnect;
  private readonly sizes: MutationObserver;

  constructor(
    private readonly element: HTMLElement,
    private readonly url: string,
    private readonly handlers: ScreenHandlers,
  ) {
    this.reconnect = new Reconnect((up, end) => this.open(up, end));
    // noVNC has no event for a new size of the screen, but its canvas always has that size.
    this.sizes = new MutationObserver(() => this.reportSize());
    this.sizes.observe(element, {
      subtree: true,
      childList: true,
      attributes: true,
      attributeFilter: ["width", "height"],
    });
  }

  start(): void {
    this.reconnect.start();
  }

  stop(): void {
    this.reconnect.stop();
    this.handlers.onStatus("off");
  }

  /** Stop for good. */
  dispose(): void {
    this.reconnect.stop();
    this.sizes.disconnect();
  }

  /** Fit the screen into the element, or show it pixel by pixel. */
  setScale(scale: boolean): void {
    this.scale = scale;
    if (this.rfb) this.rfb.scaleViewport = scale;
  }

  setViewOnly(viewOnly: boolean): void {
    this.viewOnly = viewOnly;
    if (this.rfb) this.rfb.viewOnly = viewOnly;
  }

  focus(): void {
    this.rfb?.focus();
  }

  readonly sendKey = (keysym: number, code: string | null, down: boolean): void => {
    this.rfb?.sendKey(keysym, code, down);
  };

  private reportSize(): void {
    const canvas = this.element.querySelector("canvas");
    if (canvas && canvas.width > 0 && canvas.height > 0) {
      this.handlers.onSize({ width: canvas.width, height: canvas.height });
    }
  }

  private open(up: () => void, end: () => void): Attempt {
    this.handlers.onStatus("connecting");
    let closed = false;
    let socket: WebSocket | null = null;
    let rfb: RFB | null = null;
    const connect = async () => {
      const { default: Client } = await import("@novnc/novnc");
      if (closed) return;
      socket = new WebSocket(this.url);
      rfb = new Client(this.element, socket, { shared: true });
      this.configure(rfb);
      this.listen(rfb, up, end);
    };
    connect().catch(end);
    return {
      close: () => {
        closed = true;
        this.rfb = null;
        if (socket) hangUp(socket, () => rfb?.disconnect());
      },
    };
  }

  private configure(rfb: RFB): void {
    this.rfb = rfb;
    rfb.scaleViewport = this.scale;
    rfb.viewOnly = this.viewOnly;
    rfb.showDotCursor = true;
    rfb.background = "transparent";
  }

  private listen(rfb: RFB, up: () => void, end: () => void): void {
    rfb.addEventListener("connect", () => {
      up();
      if (this.rfb === rfb) this.handlers.onStatus("connected");
    });
    rfb.addEventListener("disconnect", () => {
      if (this.rfb === rfb) {
        this.rfb = null;
        this.handlers.onStatus("connecting");
      }
      end();
    });
    rfb.addEventListener("securityfailure", () => this.refuse());
    rfb.addEventListener("credentialsrequired", () => this.refuse());
  }

  /** QEMU behind the console asks for no password; where one was demanded by hand, this page cannot give it. */
  private refuse(): void {
    this.reconnect.stop();
    this.handlers.onStatus("refused");
  }
}
