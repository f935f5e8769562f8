import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { Checkbox } from "@patternfly/react-core/dist/esm/components/Checkbox";
import { Form, FormGroup } from "@patternfly/react-core/dist/esm/components/Form";
import { HelperText, HelperTextItem } from "@patternfly/react-core/dist/esm/components/HelperText";
import { Modal, ModalBody, ModalFooter, ModalHeader } from "@patternfly/react-core/dist/esm/components/Modal";
import { Progress } from "@patternfly/react-core/dist/esm/components/Progress";
import { TextArea } from "@patternfly/react-core/dist/esm/components/TextArea";
import { type RefObject, useState } from "react";
import { NORMAL_PACE, SLOW_PACE, unusual } from "./typing";
import type { Typing } from "./use-typing";

interface Props {
  typing: Typing;
  onClose(): void;
  host: RefObject<HTMLElement | null>;
}

function Warning({ text }: { text: string }) {
  const strange = unusual(text);
  if (strange.length === 0) return null;
  const some = strange.slice(0, 8).join(" ");
  return (
    <HelperTextItem variant="warning">
      Not on a US keyboard, so the guest may not get them: {some}
      {strange.length > 8 && " …"}
    </HelperTextItem>
  );
}

function Footer({ busy, canType, onType, onStop, onClose }: FooterProps) {
  return (
    <ModalFooter>
      <Button isDisabled={!canType || busy} isLoading={busy} onClick={onType} data-testid="paste-type">
        Type it
      </Button>
      {busy ? (
        <Button variant="secondary" onClick={onStop}>
          Stop
        </Button>
      ) : (
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      )}
    </ModalFooter>
  );
}

interface FooterProps {
  busy: boolean;
  canType: boolean;
  onType(): void;
  onStop(): void;
  onClose(): void;
}

/** Types a text into the guest as if on its keyboard; needs nothing inside the guest. */
export function PasteDialog({ typing, onClose, host }: Props) {
  const [text, setText] = useState("");
  const [slow, setSlow] = useState(false);
  const { progress } = typing;
  const type = () => {
    void typing.type(text, slow ? SLOW_PACE : NORMAL_PACE).then((whole) => whole && onClose());
  };
  const close = () => {
    typing.cancel();
    onClose();
  };
  return (
    <Modal
      isOpen
      variant="small"
      onClose={close}
      appendTo={() => host.current ?? document.body}
      aria-labelledby="paste-title"
    >
      <ModalHeader
        title="Paste text"
        labelId="paste-title"
        description="Typed key by key, as on a US keyboard. Works in installers and login prompts, too."
      />
      <ModalBody>
        <Form onSubmit={(event) => event.preventDefault()}>
          <FormGroup label="Text" fieldId="paste-text">
            <TextArea
              id="paste-text"
              className="qd-code"
              value={text}
              onChange={(_event, value) => setText(value)}
              isDisabled={progress !== null}
              rows={6}
              resizeOrientation="vertical"
              spellCheck={false}
              autoComplete="off"
              autoFocus
              data-testid="paste-input"
            />
            <HelperText isLiveRegion>
              <Warning text={text} />
            </HelperText>
          </FormGroup>
          <Checkbox
            id="paste-slow"
            label="Type slowly"
            description="For boot loaders and emulated guests that lose characters"
            isChecked={slow}
            onChange={(_event, checked) => setSlow(checked)}
          />
          {progress && (
            <Progress
              size="sm"
              aria-label="Typed"
              value={(progress.typed / progress.total) * 100}
              label={`${progress.typed} of ${progress.total}`}
            />
          )}
        </Form>
      </ModalBody>
      <Footer
        busy={progress !== null}
        canType={text !== ""}
        onType={type}
        onStop={typing.cancel}
        onClose={close}
      />
    </Modal>
  );
}
