import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Modal, ModalBody, ModalFooter, ModalHeader } from "@patternfly/react-core/dist/esm/components/Modal";

interface Props {
  title: string;
  verb: string;
  /** What will be lost, a sentence each. */
  lines: readonly string[];
  onConfirm(): void;
  onClose(): void;
}

/** Asks once more, and says what is lost. */
export function ConfirmDialog({ title, verb, lines, onConfirm, onClose }: Props) {
  const confirm = () => {
    onClose();
    onConfirm();
  };
  return (
    <Modal
      isOpen
      variant="small"
      onClose={onClose}
      aria-labelledby="storage-confirm-title"
      aria-describedby="storage-confirm-body"
    >
      <ModalHeader title={title} titleIconVariant="warning" labelId="storage-confirm-title" />
      <ModalBody id="storage-confirm-body" className="qd-lines">
        {lines.map((line) => (
          <p key={line}>{line}</p>
        ))}
      </ModalBody>
      <ModalFooter>
        <Button variant="danger" onClick={confirm} data-testid="storage-confirm">
          {verb}
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}
