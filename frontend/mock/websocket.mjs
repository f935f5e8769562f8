// The least of RFC 6455 that a development server needs: handshake, binary frames, close.
import { createHash } from "node:crypto";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

function frame(opcode, payload) {
  const size = payload.length;
  const extra = size < 126 ? 0 : size < 65536 ? 2 : 8;
  const head = Buffer.alloc(2 + extra);
  head[0] = 0x80 | opcode;
  head[1] = extra === 0 ? size : extra === 2 ? 126 : 127;
  if (extra === 2) head.writeUInt16BE(size, 2);
  if (extra === 8) head.writeBigUInt64BE(BigInt(size), 2);
  return Buffer.concat([head, payload]);
}

function takeFrame(buffer) {
  if (buffer.length < 2) return null;
  const short = buffer[1] & 0x7f;
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + extra + 4;
  if (buffer.length < start) return null;
  const size = extra === 0 ? short : extra === 2 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
  if (buffer.length < start + size) return null;
  const mask = buffer.subarray(start - 4, start);
  const payload = Buffer.from(buffer.subarray(start, start + size));
  for (let at = 0; at < size; at += 1) payload[at] ^= mask[at % 4];
  return { opcode: buffer[0] & 0x0f, payload, rest: buffer.subarray(start + size) };
}

/** Answer an upgrade request; returns send, close and the two callbacks onData and onClose. */
export function accept(request, socket) {
  const key = createHash("sha1")
    .update(request.headers["sec-websocket-key"] + GUID)
    .digest("base64");
  const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
  socket.write(`${head.join("\r\n")}\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`);
  const peer = {
    onData: () => {},
    onClose: () => {},
    send: (data) => socket.write(frame(2, Buffer.from(data))),
    close: () => socket.end(frame(8, Buffer.from([3, 232]))),
  };
  let pending = Buffer.alloc(0);
  socket.on("data", (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (let next = takeFrame(pending); next; next = takeFrame(pending)) {
      pending = next.rest;
      if (next.opcode === 8) socket.end();
      else if (next.opcode === 9) socket.write(frame(10, next.payload));
      else if (next.opcode < 3) peer.onData(next.payload);
    }
  });
  socket.on("close", () => peer.onClose());
  socket.on("error", () => socket.destroy());
  return peer;
}
