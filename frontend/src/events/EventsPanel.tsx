import { SearchInput } from "@patternfly/react-core/dist/esm/components/SearchInput";
import { ToggleGroup, ToggleGroupItem } from "@patternfly/react-core/dist/esm/components/ToggleGroup";
import { useMemo, useState } from "react";
import { clock, moment } from "../format/format";
import { useConsole } from "../state/context";
import type { LogEntry } from "../state/reducer";
import { type Line, matching } from "./describe";

type Kind = LogEntry["type"];

const KINDS: readonly { kind: Kind; text: string }[] = [
  { kind: "state", text: "State" },
  { kind: "step", text: "Steps" },
  { kind: "message", text: "Messages" },
  { kind: "qemu", text: "QEMU" },
];
/** Drawn at once; a filter finds the older ones. */
const SHOWN = 500;

function Row({ entry, line }: { entry: LogEntry; line: Line }) {
  return (
    <li className={`qd-event qd-event--${line.tone}`}>
      <time title={moment(entry.data.time)}>{clock(entry.data.time)}</time>
      <span className="qd-event__kind">{line.kind}</span>
      <span className="qd-event__text">{line.text}</span>
    </li>
  );
}

/** The Events tab: what happened, newest first, as it happens. */
export function EventsPanel() {
  const log = useConsole((state) => state.log);
  const [query, setQuery] = useState("");
  const [hidden, setHidden] = useState<ReadonlySet<Kind>>(new Set());
  const rows = useMemo(
    () => matching(log, query).filter(({ entry }) => !hidden.has(entry.type)),
    [log, query, hidden],
  );
  const toggle = (kind: Kind, show: boolean) => {
    const next = new Set(hidden);
    if (show) next.delete(kind);
    else next.add(kind);
    setHidden(next);
  };
  return (
    <section className="qd-panel" aria-label="Events">
      <div className="qd-toolbar">
        <div className="qd-search">
          <SearchInput
            aria-label="Filter events"
            placeholder="Filter"
            value={query}
            onChange={(_event, value) => setQuery(value)}
            onClear={() => setQuery("")}
          />
        </div>
        <ToggleGroup isCompact aria-label="Kinds of events">
          {KINDS.map(({ kind, text }) => (
            <ToggleGroupItem
              key={kind}
              text={text}
              isSelected={!hidden.has(kind)}
              onChange={(_event, selected) => toggle(kind, selected)}
            />
          ))}
        </ToggleGroup>
        <span className="qd-toolbar__note">
          {rows.length} of {log.length}
        </span>
      </div>
      <div
        className="qd-events"
        role="log"
        aria-live="off"
        aria-label="Events"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        data-testid="events"
      >
        <ol>
          {rows.slice(0, SHOWN).map(({ entry, line }) => (
            <Row key={entry.id} entry={entry} line={line} />
          ))}
        </ol>
      </div>
      {rows.length === 0 && <p className="qd-muted qd-none">No events{log.length > 0 && " match"}</p>}
    </section>
  );
}
