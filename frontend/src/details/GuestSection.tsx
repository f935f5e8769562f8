import { Progress } from "@patternfly/react-core/dist/esm/components/Progress";
import type { GuestFacts, GuestInterface } from "../api/types";
import { bytes } from "../format/format";
import { CopyButton } from "../shell/CopyButton";
import { useConsole } from "../state/context";
import { Facts } from "./Facts";
import { type FileSystem, fileSystems, userNames } from "./guest-shapes";

function Interfaces({ interfaces }: { interfaces: readonly GuestInterface[] }) {
  return (
    <ul className="qd-ports">
      {interfaces.map((card) => (
        <li key={card.name} className="qd-port">
          <span>
            <code>{card.name}</code> <span className="qd-muted">{card.mac}</span>
          </span>
          {card.addresses.map((address) => (
            <span key={address} className="qd-value">
              <code>{address}</code>
              <CopyButton text={address.replace(/\/\d+$/, "")} what="address" />
            </span>
          ))}
        </li>
      ))}
    </ul>
  );
}

function Space({ system }: { system: FileSystem }) {
  if (system.used === null || !system.total) return <span className="qd-muted">{system.type}</span>;
  const share = (system.used / system.total) * 100;
  return (
    <Progress
      size="sm"
      aria-label={`Space used on ${system.mountpoint}`}
      value={share}
      label={`${bytes(system.used)} of ${bytes(system.total)}`}
      {...(share > 90 ? { variant: "warning" as const } : {})}
    />
  );
}

function FileSystems({ systems }: { systems: readonly FileSystem[] }) {
  return (
    <ul className="qd-ports">
      {systems.map((system) => (
        <li key={system.mountpoint} className="qd-port">
          <code>{system.mountpoint}</code>
          <Space system={system} />
        </li>
      ))}
    </ul>
  );
}

function clockText(offset: number | null | undefined): string {
  if (offset === null || offset === undefined) return "";
  if (Math.abs(offset) < 1) return "right to within a second";
  return `${Math.abs(offset).toFixed(1)} s ${offset > 0 ? "ahead" : "behind"}`;
}

function Known({ guest }: { guest: GuestFacts }) {
  const cards = (guest.interfaces ?? []).filter((card) => card.name !== "lo");
  const systems = fileSystems(guest.filesystems);
  const users = userNames(guest.users);
  return (
    <Facts
      facts={[
        ["Host name", guest.hostname],
        ["System", guest.os],
        ["Kernel", guest.kernel],
        ["Logged in", users.length > 0 ? users.join(", ") : "nobody"],
        ["Clock", clockText(guest.time_offset)],
        ["Network", cards.length > 0 ? <Interfaces key="network" interfaces={cards} /> : null],
        ["File systems", systems.length > 0 ? <FileSystems key="systems" systems={systems} /> : null],
      ]}
    />
  );
}

/** What the guest's agent says. */
export function GuestSection() {
  const guest = useConsole((state) => state.guest);
  if (guest?.available) return <Known guest={guest} />;
  return (
    <p className="qd-muted">
      The guest agent does not answer. It does when the guest is up and runs qemu-guest-agent, unless the
      machine was made with agent: false.
    </p>
  );
}
