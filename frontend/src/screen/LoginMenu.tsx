import { Dropdown, DropdownItem, DropdownList } from "@patternfly/react-core/dist/esm/components/Dropdown";
import { MenuToggle, type MenuToggleElement } from "@patternfly/react-core/dist/esm/components/MenuToggle";
import UserIcon from "@patternfly/react-icons/dist/esm/icons/user-icon";
import { type RefObject, useState } from "react";
import type { Login } from "../api/types";

interface Props {
  login: Login;
  disabled: boolean;
  onType(text: string): void;
  host: RefObject<HTMLElement | null>;
}

/** Types the guest's login where its prompt waits. */
export function LoginMenu({ login, disabled, onType, host }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <Dropdown
      isOpen={open}
      onOpenChange={setOpen}
      onSelect={() => setOpen(false)}
      popperProps={{ appendTo: () => host.current ?? document.body }}
      toggle={(ref: React.Ref<MenuToggleElement>) => (
        <MenuToggle
          ref={ref}
          size="sm"
          isDisabled={disabled}
          isExpanded={open}
          onClick={() => setOpen(!open)}
          icon={<UserIcon />}
          data-testid="type-login"
        >
          Log in
        </MenuToggle>
      )}
    >
      <DropdownList aria-label="Type the login">
        <DropdownItem
          onClick={() => onType(`${login.user}\n`)}
          description={login.user}
          data-testid="type-user"
        >
          Type the user name
        </DropdownItem>
        {login.password && (
          <DropdownItem
            onClick={() => onType(`${login.password}\n`)}
            description="Then Enter"
            data-testid="type-password"
          >
            Type the password
          </DropdownItem>
        )}
      </DropdownList>
    </Dropdown>
  );
}
