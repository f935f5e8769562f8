import { Divider } from "@patternfly/react-core/dist/esm/components/Divider";
import { Dropdown, DropdownItem, DropdownList } from "@patternfly/react-core/dist/esm/components/Dropdown";
import { MenuToggle, type MenuToggleElement } from "@patternfly/react-core/dist/esm/components/MenuToggle";
import PowerOffIcon from "@patternfly/react-icons/dist/esm/icons/power-off-icon";
import { type Ref, useState } from "react";
import type { Machine, PowerAction } from "../api/types";
import { useConsole } from "../state/context";
import { isOffline } from "../state/reducer";
import { ConfirmForce } from "./ConfirmForce";
import { ITEMS, type PowerItem } from "./items";
import { power } from "./power";
import { allowed } from "./rules";

/** Start, stop and the rest; what makes no sense in the present state cannot be chosen. */
export function PowerMenu({ machine }: { machine: Machine }) {
  const [open, setOpen] = useState(false);
  const offline = useConsole(isOffline);
  const [asking, setAsking] = useState<PowerAction | null>(null);
  const choose = (item: PowerItem) => {
    setOpen(false);
    if (item.confirm) setAsking(item.action);
    else void power(item.action, machine.name);
  };
  return (
    <>
      <Dropdown
        isOpen={open}
        onOpenChange={setOpen}
        onSelect={() => setOpen(false)}
        popperProps={{ position: "end" }}
        toggle={(ref: Ref<MenuToggleElement>) => (
          <MenuToggle
            ref={ref}
            isExpanded={open}
            isDisabled={offline}
            onClick={() => setOpen(!open)}
            icon={<PowerOffIcon />}
            size="sm"
            data-testid="power-menu"
          >
            Power
          </MenuToggle>
        )}
      >
        <DropdownList aria-label="Power">
          {ITEMS.map((item) => (
            <Entry key={item.action} item={item} machine={machine} onChoose={choose} />
          ))}
        </DropdownList>
      </Dropdown>
      {asking && <ConfirmForce action={asking} name={machine.name} onClose={() => setAsking(null)} />}
    </>
  );
}

interface EntryProps {
  item: PowerItem;
  machine: Machine;
  onChoose(item: PowerItem): void;
}

function Entry({ item, machine, onChoose }: EntryProps) {
  return (
    <>
      {item.divided && <Divider component="li" />}
      <DropdownItem
        isDisabled={!allowed(item.action, machine.state)}
        isDanger={item.confirm !== undefined}
        icon={item.icon}
        description={item.description}
        onClick={() => onChoose(item)}
        data-testid={item.testId}
      >
        {item.label}
      </DropdownItem>
    </>
  );
}
