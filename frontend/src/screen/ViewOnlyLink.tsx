import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Modal, ModalBody, ModalHeader } from "@patternfly/react-core/dist/esm/components/Modal";
import LinkIcon from "@patternfly/react-icons/dist/esm/icons/link-icon";
import { type RefObject, useState } from "react";
import { api } from "../api/client";
import { Command } from "../shell/Command";
import { copyText } from "../shell/copy";
import { guarded } from "../shell/notices";

/** Makes a one-time link for somebody who may watch but not touch, and copies it. */
export function ViewOnlyLink({ host }: { host: RefObject<HTMLElement | null> }) {
  const [url, setUrl] = useState<string | null>(null);
  const [copied, setCopied] = useState(false);
  const make = () =>
    guarded("Cannot make a link", async () => {
      const link = await api.link(true);
      // Without the right to copy, the reader does it by hand.
      setCopied(
        await copyText(link.url).then(
          () => true,
          () => false,
        ),
      );
      setUrl(link.url);
    });
  return (
    <>
      <Button
        variant="secondary"
        size="sm"
        icon={<LinkIcon />}
        onClick={() => void make()}
        data-testid="view-only-link"
      >
        <span className="qd-wide-text">Share view</span>
      </Button>
      {url && (
        <Modal
          isOpen
          variant="small"
          onClose={() => setUrl(null)}
          appendTo={() => host.current ?? document.body}
          aria-labelledby="link-title"
        >
          <ModalHeader
            title="View-only link"
            labelId="link-title"
            description="It works once. Whoever opens it sees the screen and the serial console but cannot type."
          />
          <ModalBody>
            {copied && <p className="qd-muted">It is on your clipboard.</p>}
            <span data-testid="view-only-url">
              <Command text={url} />
            </span>
          </ModalBody>
        </Modal>
      )}
    </>
  );
}
