"""The world that guests talk to, as a program: ``network_world.py ADDRESS...`` serves HTTP, UDP and DNS on each address.

HTTP on port 80 answers with the visitor's address, ``/big`` with 4 MiB; UDP on port 7777 sends back what comes; DNS on port 53 has one
answer for every name: 10.77.0.3 and fd77::3. With ``dns`` as its first word it serves DNS only.
"""

import socket
import socketserver
import struct
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BIG = 4 << 20
_ANSWERS = {1: socket.inet_aton("10.77.0.3"), 28: socket.inet_pton(socket.AF_INET6, "fd77::3")}


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = bytes(BIG) if self.path == "/big" else f"saw {self.client_address[0]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Echo(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        data, answering = self.request
        answering.sendto(b"echo " + data, self.client_address)


class Names(socketserver.BaseRequestHandler):
    """Source: RFC 1035, section 4."""

    def handle(self) -> None:
        data, answering = self.request
        end = data.index(b"\0", 12) + 1
        kind = struct.unpack_from("!H", data, end)[0]
        answer = _ANSWERS.get(kind)
        record = b"" if answer is None else b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 5, len(answer)) + answer
        head = data[:2] + struct.pack("!HHHHH", 0x8180, 1, 1 if record else 0, 0, 0)
        answering.sendto(head + data[12 : end + 4] + record, self.client_address)


def serve(server: socketserver.BaseServer) -> None:
    threading.Thread(target=server.serve_forever).start()


def family(base: type, address: str) -> type:
    return type(
        base.__name__, (base,), {"address_family": socket.AF_INET6 if ":" in address else socket.AF_INET, "allow_reuse_address": True}
    )


def main(words: list[str]) -> None:
    everything = words[0] != "dns"
    for address in words if everything else words[1:]:
        udp = family(socketserver.ThreadingUDPServer, address)
        serve(udp((address, 53), Names))
        if everything:
            serve(udp((address, 7777), Echo))
            serve(family(ThreadingHTTPServer, address)((address, 80), Page))
    print("ready", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
