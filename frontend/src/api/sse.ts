/** One server-sent event as it came over the wire. */
export interface SseMessage {
  id: string;
  type: string;
  data: string;
}

/**
 * Parser of `text/event-stream`, WHATWG HTML section 9.2.6: feed it text in any pieces, get whole events.
 *
 * The page does not use the browser's EventSource because that hides the HTTP status, and a page whose
 * session ended (401) must say so instead of trying for ever.
 */
export class SseParser {
  private buffer = "";
  private data: string[] = [];
  private type = "";
  private id = "";

  /** Take the next piece of the stream and return the events that it completes. */
  push(chunk: string): SseMessage[] {
    this.buffer += chunk;
    const messages: SseMessage[] = [];
    for (let line = this.takeLine(); line !== null; line = this.takeLine()) {
      const message = this.line(line);
      if (message) messages.push(message);
    }
    return messages;
  }

  private takeLine(): string | null {
    const end = this.buffer.search(/[\r\n]/);
    if (end < 0) return null;
    const isCr = this.buffer[end] === "\r";
    // A carriage return at the very end may be the first half of CR LF.
    if (isCr && end === this.buffer.length - 1) return null;
    const width = isCr && this.buffer[end + 1] === "\n" ? 2 : 1;
    const line = this.buffer.slice(0, end);
    this.buffer = this.buffer.slice(end + width);
    return line;
  }

  private line(line: string): SseMessage | null {
    if (line === "") return this.dispatch();
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "data") this.data.push(value);
    else if (field === "event") this.type = value;
    else if (field === "id" && !value.includes("\0")) this.id = value;
    return null;
  }

  private dispatch(): SseMessage | null {
    const { data, type, id } = this;
    this.data = [];
    this.type = "";
    return data.length === 0 ? null : { id, type: type || "message", data: data.join("\n") };
  }
}
