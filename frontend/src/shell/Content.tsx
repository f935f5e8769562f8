import { Tab, Tabs, TabTitleIcon, TabTitleText } from "@patternfly/react-core/dist/esm/components/Tabs";
import DatabaseIcon from "@patternfly/react-icons/dist/esm/icons/database-icon";
import DesktopIcon from "@patternfly/react-icons/dist/esm/icons/desktop-icon";
import FileAltIcon from "@patternfly/react-icons/dist/esm/icons/file-alt-icon";
import InfoCircleIcon from "@patternfly/react-icons/dist/esm/icons/info-circle-icon";
import ListIcon from "@patternfly/react-icons/dist/esm/icons/list-icon";
import TerminalIcon from "@patternfly/react-icons/dist/esm/icons/terminal-icon";
import { type ReactNode, useState } from "react";
import type { Machine } from "../api/types";
import { Charts } from "../charts/Charts";
import { DetailsPanel } from "../details/DetailsPanel";
import { EventsPanel } from "../events/EventsPanel";
import { LogsPanel } from "../logs/LogsPanel";
import { hasScreen, isStarting } from "../power/rules";
import { ProgressPanel } from "../progress/ProgressPanel";
import { ScreenPanel } from "../screen/ScreenPanel";
import { NoSerial } from "../serial/NoSerial";
import { SerialPanel } from "../serial/SerialPanel";
import { StoragePanel } from "../storage/StoragePanel";

type View = "screen" | "serial" | "storage" | "details" | "events" | "logs";

const VIEWS: readonly { view: View; title: string; icon: ReactNode }[] = [
  { view: "screen", title: "Screen", icon: <DesktopIcon /> },
  { view: "serial", title: "Serial", icon: <TerminalIcon /> },
  { view: "storage", title: "Storage", icon: <DatabaseIcon /> },
  { view: "details", title: "Details", icon: <InfoCircleIcon /> },
  { view: "events", title: "Events", icon: <ListIcon /> },
  { view: "logs", title: "Logs", icon: <FileAltIcon /> },
];

function Serial({ machine }: { machine: Machine }) {
  // A machine without a screen is watched here, also while it is on its way.
  if (machine.display === "none" && isStarting(machine.state)) return <ProgressPanel machine={machine} />;
  // Only a machine that runs is known to have none; the others may still show their log.
  return machine.serial || !hasScreen(machine.state) ? <SerialPanel machine={machine} /> : <NoSerial />;
}

function Panel({ view, machine }: { view: View; machine: Machine }) {
  switch (view) {
    case "screen":
      return <ScreenPanel machine={machine} />;
    case "serial":
      return <Serial machine={machine} />;
    case "storage":
      return <StoragePanel machine={machine} />;
    case "details":
      return <DetailsPanel machine={machine} />;
    case "events":
      return <EventsPanel />;
    case "logs":
      return <LogsPanel machine={machine} />;
  }
}

/** Below the header: the tabs with what the chosen one shows, and the charts. */
export function Content({ machine }: { machine: Machine }) {
  const [view, setView] = useState<View>(machine.display === "none" ? "serial" : "screen");
  return (
    <div className="qd-content">
      <main className="qd-main" id="main" tabIndex={-1}>
        <Tabs
          activeKey={view}
          onSelect={(_event, key) => setView(key as View)}
          aria-label="Machine"
          usePageInsets={false}
          className="qd-tabs"
        >
          {VIEWS.map(({ view: key, title, icon }) => (
            <Tab
              key={key}
              eventKey={key}
              tabContentId={`panel-${key}`}
              data-testid={`tab-${key}`}
              title={
                <>
                  <TabTitleIcon>{icon}</TabTitleIcon>
                  <TabTitleText>{title}</TabTitleText>
                </>
              }
            />
          ))}
        </Tabs>
        <div className={`qd-view qd-view--${view}`} id={`panel-${view}`} role="tabpanel" aria-label={view}>
          <Panel view={view} machine={machine} />
        </div>
      </main>
      <aside className="qd-aside" aria-label="Use of the host">
        <Charts machine={machine} />
      </aside>
    </div>
  );
}
