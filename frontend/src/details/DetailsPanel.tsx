import type { Machine } from "../api/types";
import { bytes, moment } from "../format/format";
import { CopyButton } from "../shell/CopyButton";
import { LOOKS } from "../shell/states";
import { Facts } from "./Facts";
import { GuestSection } from "./GuestSection";
import { LoginFacts } from "./LoginFacts";
import { PortList } from "./PortList";
import { Section } from "./Section";

const DISPLAYS: Record<Machine["display"], string> = {
  vnc: "VNC, on this page",
  spice: "VNC, on this page; SPICE by qd open --spice",
  none: "none",
};

function Copied({ text, what }: { text: string; what: string }) {
  return (
    <span className="qd-value">
      <code>{text}</code>
      <CopyButton text={text} what={what} />
    </span>
  );
}

function MachineList({ machine }: { machine: Machine }) {
  const accelerator = machine.accelerator?.toUpperCase() ?? "";
  return (
    <Facts
      facts={[
        ["State", `${LOOKS[machine.state].text}${machine.reason ? `: ${machine.reason}` : ""}`],
        ["Since", machine.since ? moment(machine.since) : null],
        ["Boots", machine.boot],
        ["Architecture", machine.arch],
        ["Accelerator", [accelerator, machine.accelerator_reason].filter(Boolean).join(": ")],
        ["Processors", machine.cpus],
        ["Memory", bytes(machine.memory)],
        ["Screen", DISPLAYS[machine.display]],
        ["UUID", machine.uuid ? <Copied key="uuid" text={machine.uuid} what="UUID" /> : null],
        ["QEMU process", machine.pid],
        ["Quarterdeck", machine.version],
      ]}
    />
  );
}

/** The Details tab. */
export function DetailsPanel({ machine }: { machine: Machine }) {
  return (
    <div className="qd-details" data-testid="details">
      <Section title="Login" testId="login">
        <LoginFacts machine={machine} />
      </Section>
      <Section title="Ports" testId="ports">
        <PortList machine={machine} />
      </Section>
      <Section title="Guest" testId="guest">
        <GuestSection />
      </Section>
      <Section title="Machine" testId="machine">
        <MachineList machine={machine} />
      </Section>
    </div>
  );
}
