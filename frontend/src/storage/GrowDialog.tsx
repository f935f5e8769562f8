import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Form, FormGroup } from "@patternfly/react-core/dist/esm/components/Form";
import { FormSelect, FormSelectOption } from "@patternfly/react-core/dist/esm/components/FormSelect";
import { HelperText, HelperTextItem } from "@patternfly/react-core/dist/esm/components/HelperText";
import { InputGroup, InputGroupItem } from "@patternfly/react-core/dist/esm/components/InputGroup";
import { Modal, ModalBody, ModalFooter, ModalHeader } from "@patternfly/react-core/dist/esm/components/Modal";
import { TextInput } from "@patternfly/react-core/dist/esm/components/TextInput";
import { type FormEvent, useState } from "react";
import type { Disk, MachineState } from "../api/types";
import { bytes } from "../format/format";
import { isLive } from "./rules";
import { amountFor, readSize, UNITS, type Unit, unitFor } from "./size";

interface Props {
  disk: Disk;
  state: MachineState;
  onGrow(size: number): void;
  onClose(): void;
}

/** Asks how large a disk shall be; it can only grow. */
export function GrowDialog({ disk, state, onGrow, onClose }: Props) {
  const [unit, setUnit] = useState<Unit>(() => unitFor(disk.size));
  const [amount, setAmount] = useState(() => amountFor(disk.size, unitFor(disk.size)));
  const [touched, setTouched] = useState(false);
  const { size, problem } = readSize(amount, unit, disk.size);
  const wrong = touched && problem !== null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTouched(true);
    if (size === null) return;
    onClose();
    onGrow(size);
  };
  const change = (set: () => void) => {
    setTouched(true);
    set();
  };
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="grow-title">
      <ModalHeader
        title={`Grow ${disk.name}`}
        labelId="grow-title"
        description={`It has ${bytes(disk.size)} now. It cannot be made smaller again.`}
      />
      <ModalBody>
        <Form id="grow-form" onSubmit={submit}>
          <FormGroup label="New size" fieldId="grow-size">
            <InputGroup>
              <InputGroupItem isFill>
                <TextInput
                  id="grow-size"
                  inputMode="decimal"
                  value={amount}
                  onChange={(_event, value) => change(() => setAmount(value))}
                  validated={wrong ? "error" : "default"}
                  aria-describedby="grow-rule"
                  autoComplete="off"
                  autoFocus
                  data-testid="grow-size"
                />
              </InputGroupItem>
              <InputGroupItem>
                <FormSelect
                  aria-label="Unit"
                  value={unit}
                  onChange={(_event, value) => change(() => setUnit(value as Unit))}
                  data-testid="grow-unit"
                >
                  {Object.keys(UNITS).map((name) => (
                    <FormSelectOption key={name} value={name} label={name} />
                  ))}
                </FormSelect>
              </InputGroupItem>
            </InputGroup>
            <HelperText id="grow-rule" isLiveRegion>
              <HelperTextItem variant={wrong ? "error" : "default"}>
                {wrong
                  ? problem
                  : size === null
                    ? "It takes no more space on the host until it is written."
                    : `Adds ${bytes(size - disk.size)}; it takes no more space on the host until it is written.`}
              </HelperTextItem>
            </HelperText>
          </FormGroup>
          <p className="qd-muted">
            {isLive(state)
              ? "The guest sees the new size at once. "
              : "The guest sees the new size when it is started. "}
            Its partition and file system stay as they are until the guest grows them; cloud images do that
            when they boot.
          </p>
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="grow-form" isDisabled={size === null} data-testid="grow-submit">
          Grow
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}
