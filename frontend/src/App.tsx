import { SkipToContent } from "@patternfly/react-core/dist/esm/components/SkipToContent";
import { Spinner } from "@patternfly/react-core/dist/esm/components/Spinner";
import { useEffect } from "react";
import { ConnectionBanner } from "./shell/ConnectionBanner";
import { Content } from "./shell/Content";
import { Header } from "./shell/Header";
import { Notices } from "./shell/Notices";
import { LOOKS } from "./shell/states";
import { store, useConsole } from "./state/context";

/** The page of one machine. */
export function App() {
  const machine = useConsole((state) => state.machine);
  const connection = useConsole((state) => state.connection);
  useEffect(() => store.start(), []);
  const title = machine ? `${machine.name} (${LOOKS[machine.state].text}) – Quarterdeck` : "Quarterdeck";
  useEffect(() => {
    document.title = title;
  }, [title]);
  return (
    <div className="qd-page">
      <SkipToContent href="#main">Skip to content</SkipToContent>
      <Header machine={machine} />
      <ConnectionBanner connection={connection} machine={machine} />
      {machine && <Content machine={machine} />}
      {!machine && connection.kind !== "logged-out" && (
        <div className="qd-wait">
          <Spinner aria-label="Loading the machine" />
        </div>
      )}
      <Notices />
    </div>
  );
}
