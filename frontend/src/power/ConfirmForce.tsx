import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Modal, ModalBody, ModalFooter, ModalHeader } from "@patternfly/react-core/dist/esm/components/Modal";
import type { PowerAction } from "../api/types";
import { ITEMS } from "./items";
import { power } from "./power";

interface Props {
  action: PowerAction;
  name: string;
  onClose(): void;
}

/** Asks once more before an action that may lose data. */
export function ConfirmForce({ action, name, onClose }: Props) {
  const verb = action === "kill" ? "Force stop" : "Reset";
  const confirm = () => {
    onClose();
    void power(action, name);
  };
  return (
    <Modal
      isOpen
      variant="small"
      onClose={onClose}
      aria-labelledby="confirm-title"
      aria-describedby="confirm-body"
    >
      <ModalHeader title={`${verb} ${name}?`} titleIconVariant="warning" labelId="confirm-title" />
      <ModalBody id="confirm-body">{ITEMS.find((item) => item.action === action)?.confirm}</ModalBody>
      <ModalFooter>
        <Button variant="danger" onClick={confirm} data-testid="power-confirm">
          {verb}
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}
