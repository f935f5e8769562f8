import { Divider } from "@patternfly/react-core/dist/esm/components/Divider";
import {
  Dropdown,
  DropdownGroup,
  DropdownItem,
  DropdownList,
} from "@patternfly/react-core/dist/esm/components/Dropdown";
import { MenuToggle, type MenuToggleElement } from "@patternfly/react-core/dist/esm/components/MenuToggle";
import PaperPlaneIcon from "@patternfly/react-icons/dist/esm/icons/paper-plane-icon";
import { type RefObject, useState } from "react";
import { COMBINATIONS, type Combination } from "./keys";

interface Props {
  disabled: boolean;
  onSend(combination: Combination): void;
  /** Where the menu is put: inside the element that may be shown on the full screen. */
  host: RefObject<HTMLElement | null>;
}

/** Menu of key combinations that the browser or the desktop would keep for itself. */
export function KeysMenu({ disabled, onSend, host }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <Dropdown
      isOpen={open}
      isScrollable
      maxMenuHeight="min(60dvh, 30rem)"
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      popperProps={{ appendTo: () => host.current ?? document.body }}
      toggle={(ref: React.Ref<MenuToggleElement>) => (
        <MenuToggle
          ref={ref}
          isDisabled={disabled}
          isExpanded={open}
          onClick={() => setOpen(!open)}
          icon={<PaperPlaneIcon />}
          size="sm"
          data-testid="send-keys"
        >
          Send keys
        </MenuToggle>
      )}
    >
      {COMBINATIONS.map((group, index) => (
        <DropdownGroup key={group.title} label={group.title}>
          {index > 0 && <Divider />}
          <DropdownList>
            {group.items.map((combination) => (
              <DropdownItem
                key={combination.id}
                onClick={() => onSend(combination)}
                data-testid={`send-${combination.id}`}
              >
                {combination.label}
              </DropdownItem>
            ))}
          </DropdownList>
        </DropdownGroup>
      ))}
    </Dropdown>
  );
}
