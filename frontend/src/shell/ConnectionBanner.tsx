import { Alert } from "@patternfly/react-core/dist/esm/components/Alert";
import { useEffect, useState } from "react";
import type { Connection } from "../api/event-stream";
import type { Machine } from "../api/types";
import { useNow } from "../hooks/use-now";
import { isOver } from "../power/rules";
import { Command } from "./Command";

/** A break so short is not worth a word. */
const GRACE = 1500;

function useLate(active: boolean): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!active) return;
    const timer = setTimeout(() => setLate(true), GRACE);
    return () => clearTimeout(timer);
  }, [active]);
  return active && late;
}

function Lost({ retryAt, machine }: { retryAt: number; machine: Machine | null }) {
  const seconds = Math.max(0, Math.ceil((retryAt - useNow(500)) / 1000));
  const over = machine !== null && isOver(machine.state);
  return (
    <Alert
      isInline
      variant={over ? "info" : "warning"}
      title={over ? `The console of ${machine.name} has ended` : "Connection lost, retrying"}
      data-testid="connection-lost"
    >
      {over
        ? "The machine is off. To start it again: "
        : `Next attempt ${seconds > 0 ? `in ${seconds} s` : "now"}. `}
      {machine && !over && "Should the console have ended, start it again with "}
      {machine && <Command text={`qd start ${machine.name}`} />}
      {over && " This page comes back by itself."}
    </Alert>
  );
}

function LoggedOut({ name }: { name: string | null }) {
  return (
    <Alert isInline variant="warning" title="This session has ended" data-testid="logged-out">
      A link works once. For a new one, run <Command text={`qd open ${name ?? "NAME"}`} />
    </Alert>
  );
}

/** Says when the page does not hear from the console, and what helps. */
export function ConnectionBanner({
  connection,
  machine,
}: {
  connection: Connection;
  machine: Machine | null;
}) {
  const late = useLate(connection.kind === "lost");
  const status = connection.kind === "lost" && !late ? "open" : connection.kind;
  return (
    <div className="qd-banner" role="status" data-testid="connection" data-connection={status}>
      {connection.kind === "logged-out" && <LoggedOut name={machine?.name ?? null} />}
      {connection.kind === "lost" && late && <Lost retryAt={connection.retryAt} machine={machine} />}
    </div>
  );
}
