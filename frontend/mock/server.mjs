// Development server: the built page and a made-up machine behind the HTTP API of docs/architecture.md.
//
//   node mock/server.mjs [--port 8007] [--pace 1] [--fail] [--view-only] [--display vnc|spice|none]
//                        [--vnc SOCKET] [--serial SOCKET]
//
// --vnc and --serial lead to sockets of a real QEMU, such as
//   qemu-system-x86_64 -vnc unix:/tmp/vnc.sock -serial unix:/tmp/serial.sock,server=on,wait=off
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { connect } from "node:net";
import { extname, join } from "node:path";
import { parseArgs } from "node:util";
import { Machine } from "./machine.mjs";
import { Storage } from "./storage.mjs";
import { accept } from "./websocket.mjs";

const STATIC = new URL("../../src/quarterdeck/console/static/", import.meta.url).pathname;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
].join("; ");
const PIXEL =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "8007" },
    pace: { type: "string", default: "1" },
    fail: { type: "boolean", default: false },
    "view-only": { type: "boolean", default: false },
    "logged-out": { type: "boolean", default: false },
    display: { type: "string", default: "vnc" },
    vnc: { type: "string" },
    serial: { type: "string" },
  },
});
const machine = new Machine({
  pace: Number(options.pace),
  fail: options.fail,
  viewOnly: options["view-only"],
  display: options.display,
});

function json(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

function events(request, response) {
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  const send = (event) =>
    response.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`);
  const last = Number(request.headers["last-event-id"] ?? 0);
  for (const event of machine.events) if (event.id > last) send(event);
  machine.listeners.add(send);
  request.on("close", () => machine.listeners.delete(send));
}

const ROUTES = {
  "GET machine": (_request, response) => json(response, 200, machine.describe()),
  "GET events": events,
  "GET metrics": (_request, response) => json(response, 200, { interval: 2, samples: machine.samples }),
  "GET guest": (_request, response) => json(response, 200, machine.guest()),
  "GET screenshot": (_request, response) =>
    response.writeHead(200, { "Content-Type": "image/png" }).end(Buffer.from(PIXEL, "base64")),
  "POST spice": (_request, response) =>
    response
      .writeHead(200, { "Content-Type": "application/x-virt-viewer" })
      .end("[virt-viewer]\ntype=spice\n"),
  "POST links": (_request, response) =>
    json(response, 200, {
      url: `http://127.0.0.1:${options.port}/login?token=SAMPLE`,
      path: "/login?token=SAMPLE",
    }),
};

const STORAGE = new Storage(machine).routes();

async function storage(request, response, act) {
  let text = "";
  for await (const part of request) text += part;
  try {
    const made = await act(text ? JSON.parse(text) : {});
    if (made === undefined) response.writeHead(204).end();
    else json(response, 200, made);
  } catch (error) {
    json(response, 400, { error });
  }
}

function api(request, response, path) {
  if (options["logged-out"])
    return json(response, 401, { error: { key: "login-needed", message: "log in first" } });
  const power = path.match(/^machine\/(\w+)$/);
  const log = path.match(/^logs\/(\w+)$/);
  if (power && request.method === "POST") {
    void machine.act(power[1]);
    return json(response, 202, machine.describe());
  }
  if (log) {
    const lines = Array.from(
      { length: 60 },
      (_, at) => `\u001b[32m[  OK  ]\u001b[0m ${log[1]} line ${at}\r\n`,
    );
    return response.writeHead(200, { "Content-Type": "text/plain; charset=utf-8" }).end(lines.join(""));
  }
  const route = ROUTES[`${request.method} ${path}`];
  if (route) return route(request, response);
  const act = STORAGE[`${request.method} ${path}`];
  if (act) return void storage(request, response, act);
  return json(response, 404, {
    error: { key: "not-found", message: `no such path: ${path}`, reason: "", hint: "" },
  });
}

async function page(response, path) {
  try {
    const body = await readFile(join(STATIC, path === "/" ? "index.html" : path.replaceAll("..", "")));
    const type = TYPES[extname(path)] ?? (path === "/" ? "text/html" : "application/octet-stream");
    response.writeHead(200, { "Content-Type": type, "Content-Security-Policy": CSP }).end(body);
  } catch {
    response.writeHead(404).end("not found\n");
  }
}

function bridge(peer, path) {
  const upstream = connect(path);
  upstream.on("data", (data) => peer.send(data));
  upstream.on("close", () => peer.close());
  upstream.on("error", () => peer.close());
  peer.onData = (data) => upstream.write(data);
  peer.onClose = () => upstream.destroy();
}

function echo(peer) {
  peer.send("\u001b[1;32mdebian login:\u001b[0m (this is an echo)\r\n");
  peer.onData = (data) => peer.send(data.toString().replaceAll("\r", "\r\n"));
}

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://localhost");
  if (pathname.startsWith("/api/v1/")) api(request, response, pathname.slice(8));
  else void page(response, pathname);
});
server.on("upgrade", (request, socket) => {
  const peer = accept(request, socket);
  if (request.url.endsWith("/vnc") && options.vnc) bridge(peer, options.vnc);
  else if (request.url.endsWith("/serial") && options.serial) bridge(peer, options.serial);
  else if (request.url.endsWith("/serial")) echo(peer);
  else peer.close();
});
server.listen(Number(options.port), "127.0.0.1", () => {
  console.log(`http://127.0.0.1:${options.port}/`);
  void machine.start();
});
