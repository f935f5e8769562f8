import type { Port } from "../api/types";

const ANY: ReadonlySet<string> = new Set(["", "0.0.0.0", "::", "*"]);

function range(first: number, count: number): string {
  return count > 1 ? `${first}–${first + count - 1}` : String(first);
}

/** `127.0.0.1:8000` or `[::1]:8000–8010`: where the port is on the host. */
export function hostSide(port: Port): string {
  const address = port.address.includes(":") ? `[${port.address}]` : port.address;
  return `${ANY.has(port.address) ? "*" : address}:${range(port.host, port.count)}`;
}

/** The guest's ports, with the protocol unless it is TCP. */
export function guestSide(port: Port): string {
  return range(port.guest, port.count) + (port.protocol === "tcp" ? "" : `/${port.protocol}`);
}

/** The command that logs in through this port; null when it does not lead to the guest's SSH. */
export function sshCommand(port: Port, user: string | null): string | null {
  const leads = port.protocol === "tcp" && port.guest <= 22 && 22 < port.guest + port.count;
  if (!leads) return null;
  const number = port.host + 22 - port.guest;
  const address = ANY.has(port.address) ? "127.0.0.1" : port.address;
  return `ssh -p ${number} ${user ? `${user}@` : ""}${address}`;
}

/** The address to open in a browser; null for ports that do not look like web servers. */
export function webUrl(port: Port): string | null {
  const schemes: Record<number, string> = {
    80: "http",
    443: "https",
    3000: "http",
    8000: "http",
    8080: "http",
    8443: "https",
  };
  const scheme = schemes[port.guest];
  if (!scheme || port.protocol !== "tcp" || port.count !== 1) return null;
  const host = ANY.has(port.address) ? "127.0.0.1" : port.address;
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port.host}/`;
}
