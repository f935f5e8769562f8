import type { Machine, Port } from "../api/types";
import { Command } from "../shell/Command";
import { guestSide, hostSide, sshCommand, webUrl } from "./ports";

function Row({ port, user }: { port: Port; user: string | null }) {
  const ssh = sshCommand(port, user);
  const web = webUrl(port);
  return (
    <li className="qd-port">
      <span>
        <code>{hostSide(port)}</code>
        <span className="qd-muted"> leads to port </span>
        <code>{guestSide(port)}</code>
      </span>
      {ssh && <Command text={ssh} />}
      {web && (
        <a href={web} target="_blank" rel="noreferrer">
          {web}
        </a>
      )}
    </li>
  );
}

/** Ports of the host that lead into the guest. */
export function PortList({ machine }: { machine: Machine }) {
  if (machine.ports.length === 0) return <p className="qd-muted">No port of the host leads to the guest</p>;
  return (
    <ul className="qd-ports">
      {machine.ports.map((port) => (
        <Row key={`${port.protocol}${hostSide(port)}`} port={port} user={machine.login?.user ?? null} />
      ))}
    </ul>
  );
}
