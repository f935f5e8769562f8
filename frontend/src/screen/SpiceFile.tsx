import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import ExternalLinkAltIcon from "@patternfly/react-icons/dist/esm/icons/external-link-alt-icon";
import { api } from "../api/client";
import { guarded } from "../shell/notices";
import { saveBlob } from "./save";

/** Saves a file with which remote-viewer opens the same screen by SPICE, with a shared clipboard. */
export function SpiceFile({ machine }: { machine: string }) {
  const save = () =>
    guarded("Cannot open the screen by SPICE", async () => {
      saveBlob(await api.spice(), `${machine}.vv`);
    });
  return (
    <Button
      variant="secondary"
      size="sm"
      icon={<ExternalLinkAltIcon />}
      title="Save a file that opens this screen in remote-viewer, within two minutes"
      onClick={() => void save()}
      data-testid="spice-file"
    >
      <span className="qd-wide-text">SPICE</span>
    </Button>
  );
}
