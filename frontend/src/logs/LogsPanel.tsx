import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Switch } from "@patternfly/react-core/dist/esm/components/Switch";
import { ToggleGroup, ToggleGroupItem } from "@patternfly/react-core/dist/esm/components/ToggleGroup";
import DownloadIcon from "@patternfly/react-icons/dist/esm/icons/download-icon";
import { useEffect, useRef, useState } from "react";
import type { LogName, Machine } from "../api/types";
import { fileName, saveBlob } from "../screen/save";
import { plainText } from "./plain";
import { useLog } from "./use-log";

const LOGS: readonly { name: LogName; text: string }[] = [
  { name: "serial", text: "Serial" },
  { name: "qemu", text: "QEMU" },
  { name: "supervisor", text: "Supervisor" },
];

/** The Logs tab: the ends of the machine's logs. */
export function LogsPanel({ machine }: { machine: Machine }) {
  const [name, setName] = useState<LogName>("supervisor");
  const [follow, setFollow] = useState(true);
  const { text, error } = useLog(name, follow);
  const view = useRef<HTMLPreElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new text is what makes the view scroll
  useEffect(() => {
    if (follow) view.current?.scrollTo({ top: view.current.scrollHeight });
  }, [text, follow]);
  const save = () =>
    saveBlob(
      new Blob([text ?? ""], { type: "text/plain" }),
      fileName(`${machine.name}-${name}`, "log", new Date()),
    );
  return (
    <section className="qd-panel" aria-label="Logs">
      <div className="qd-toolbar">
        <ToggleGroup isCompact aria-label="Which log">
          {LOGS.map((log) => (
            <ToggleGroupItem
              key={log.name}
              text={log.text}
              isSelected={log.name === name}
              onChange={() => setName(log.name)}
              data-testid={`log-${log.name}`}
            />
          ))}
        </ToggleGroup>
        <Switch
          id="follow"
          label="Follow"
          isChecked={follow}
          onChange={(_event, checked) => setFollow(checked)}
        />
        <div className="qd-toolbar__group qd-toolbar__group--end">
          <Button variant="secondary" size="sm" icon={<DownloadIcon />} isDisabled={!text} onClick={save}>
            Save
          </Button>
        </div>
      </div>
      {error && <p className="qd-bad">{error}</p>}
      <pre
        ref={view}
        className="qd-log"
        role="log"
        aria-live="off"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard
        tabIndex={0}
        aria-label={`${name} log`}
        data-testid="log"
      >
        {text === null ? "…" : plainText(text) || "Nothing has been written yet"}
      </pre>
    </section>
  );
}
