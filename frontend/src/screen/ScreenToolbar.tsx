import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import { ToggleGroup, ToggleGroupItem } from "@patternfly/react-core/dist/esm/components/ToggleGroup";
import CameraIcon from "@patternfly/react-icons/dist/esm/icons/camera-icon";
import CompressIcon from "@patternfly/react-icons/dist/esm/icons/compress-icon";
import ExpandIcon from "@patternfly/react-icons/dist/esm/icons/expand-icon";
import KeyboardIcon from "@patternfly/react-icons/dist/esm/icons/keyboard-icon";
import PasteIcon from "@patternfly/react-icons/dist/esm/icons/paste-icon";
import type { RefObject } from "react";
import type { Machine } from "../api/types";
import { KeysMenu } from "./KeysMenu";
import type { Combination } from "./keys";
import { LoginMenu } from "./LoginMenu";
import { SpiceFile } from "./SpiceFile";
import { ViewOnlyLink } from "./ViewOnlyLink";

export interface ToolbarProps {
  machine: Machine;
  connected: boolean;
  scale: boolean;
  full: boolean;
  host: RefObject<HTMLElement | null>;
  first: RefObject<HTMLDivElement | null>;
  onScale(scale: boolean): void;
  onFull(): void;
  onCombination(combination: Combination): void;
  onPaste(): void;
  onType(text: string): void;
  onTouchKeyboard(): void;
  onScreenshot(): void;
}

/** Where there is a touch screen there may be no keyboard. */
const HAS_TOUCH = navigator.maxTouchPoints > 0;

function Input(props: ToolbarProps) {
  const { machine, connected, host } = props;
  if (machine.view_only) return <span className="qd-muted">You can watch, but not type</span>;
  return (
    <>
      <KeysMenu disabled={!connected} onSend={props.onCombination} host={host} />
      <Button
        variant="secondary"
        size="sm"
        icon={<PasteIcon />}
        isDisabled={!connected}
        onClick={props.onPaste}
        data-testid="paste-text"
      >
        Paste text
      </Button>
      {HAS_TOUCH && (
        <Button
          variant="secondary"
          size="sm"
          icon={<KeyboardIcon />}
          isDisabled={!connected}
          onClick={props.onTouchKeyboard}
          data-testid="touch-keyboard"
        >
          <span className="qd-wide-text">Keyboard</span>
        </Button>
      )}
      {machine.login && (
        <LoginMenu login={machine.login} disabled={!connected} onType={props.onType} host={host} />
      )}
    </>
  );
}

function View(props: ToolbarProps) {
  const { scale, full, onScale, onFull } = props;
  return (
    <>
      <ToggleGroup isCompact aria-label="Size of the screen">
        <ToggleGroupItem
          text="Fit"
          isSelected={scale}
          onChange={() => onScale(true)}
          data-testid="scale-fit"
        />
        <ToggleGroupItem
          text="1:1"
          isSelected={!scale}
          onChange={() => onScale(false)}
          data-testid="scale-actual"
        />
      </ToggleGroup>
      <Button
        variant="secondary"
        size="sm"
        icon={<CameraIcon />}
        aria-label="Save a screenshot"
        title="Save a screenshot"
        onClick={props.onScreenshot}
        data-testid="screenshot"
      />
      <Button
        variant="secondary"
        size="sm"
        icon={full ? <CompressIcon /> : <ExpandIcon />}
        aria-label={full ? "Leave full screen" : "Full screen"}
        title={full ? "Leave full screen (hold Esc)" : "Full screen"}
        onClick={onFull}
        data-testid="fullscreen"
      />
    </>
  );
}

/** What can be done with the screen. */
export function ScreenToolbar(props: ToolbarProps) {
  return (
    <div className="qd-toolbar" role="toolbar" aria-label="Screen" ref={props.first} tabIndex={-1}>
      <div className="qd-toolbar__group">
        <Input {...props} />
      </div>
      <div className="qd-toolbar__group qd-toolbar__group--end">
        {!props.machine.view_only && props.machine.display === "spice" && (
          <SpiceFile machine={props.machine.name} />
        )}
        {!props.machine.view_only && <ViewOnlyLink host={props.host} />}
        <View {...props} />
      </div>
    </div>
  );
}
