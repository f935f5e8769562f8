import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Checkbox } from "@patternfly/react-core/dist/esm/components/Checkbox";
import { Form, FormGroup } from "@patternfly/react-core/dist/esm/components/Form";
import { HelperText, HelperTextItem } from "@patternfly/react-core/dist/esm/components/HelperText";
import { Modal, ModalBody, ModalFooter, ModalHeader } from "@patternfly/react-core/dist/esm/components/Modal";
import { TextInput } from "@patternfly/react-core/dist/esm/components/TextInput";
import { type FormEvent, useState } from "react";
import type { Machine, Snapshot } from "../api/types";
import { bytes } from "../format/format";
import { memoryBlocked } from "./rules";
import { TAG_RULE, tagProblem } from "./words";

interface Props {
  machine: Machine;
  known: readonly Snapshot[];
  onCreate(tag: string | null, memory: boolean): void;
  onClose(): void;
}

function memoryWords(machine: Machine): string {
  return (
    memoryBlocked(machine.state) ??
    `The running guest can be taken back to this moment. It stands still while its memory is written, up to ${bytes(machine.memory)}. Without it, the snapshot can only be restored while the machine is off.`
  );
}

/** Asks for the name of a new snapshot and whether it keeps the guest's memory. */
export function CreateDialog({ machine, known, onCreate, onClose }: Props) {
  const [tag, setTag] = useState("");
  const [memory, setMemory] = useState(false);
  const problem = tagProblem(tag, known);
  const withMemory = memory && memoryBlocked(machine.state) === null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (problem) return;
    onClose();
    onCreate(tag === "" ? null : tag, withMemory);
  };
  return (
    <Modal isOpen variant="small" onClose={onClose} aria-labelledby="snapshot-title">
      <ModalHeader
        title="Create snapshot"
        labelId="snapshot-title"
        description="The state of all disks at this moment, kept inside the disks."
      />
      <ModalBody>
        <Form id="snapshot-form" onSubmit={submit}>
          <FormGroup label="Name" fieldId="snapshot-tag">
            <TextInput
              id="snapshot-tag"
              value={tag}
              onChange={(_event, value) => setTag(value)}
              validated={problem ? "error" : "default"}
              placeholder="Named by the time"
              aria-describedby="snapshot-rule"
              spellCheck={false}
              autoComplete="off"
              autoFocus
              data-testid="snapshot-tag"
            />
            <HelperText id="snapshot-rule" isLiveRegion>
              <HelperTextItem variant={problem ? "error" : "default"}>{problem ?? TAG_RULE}</HelperTextItem>
            </HelperText>
          </FormGroup>
          <Checkbox
            id="snapshot-memory"
            label="With memory"
            description={memoryWords(machine)}
            isChecked={withMemory}
            isDisabled={memoryBlocked(machine.state) !== null}
            onChange={(_event, checked) => setMemory(checked)}
            data-testid="snapshot-memory"
          />
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button
          type="submit"
          form="snapshot-form"
          isDisabled={problem !== null}
          data-testid="snapshot-submit"
        >
          Create
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}
