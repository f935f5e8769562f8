import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import EyeIcon from "@patternfly/react-icons/dist/esm/icons/eye-icon";
import EyeSlashIcon from "@patternfly/react-icons/dist/esm/icons/eye-slash-icon";
import { useState } from "react";
import type { Machine } from "../api/types";
import { CopyButton } from "../shell/CopyButton";
import { Facts } from "./Facts";

function Password({ password }: { password: string }) {
  const [shown, setShown] = useState(false);
  const label = shown ? "Hide password" : "Show password";
  return (
    <span className="qd-value">
      <code data-testid="password">{shown ? password : "••••••••••"}</code>
      <Button
        variant="plain"
        size="sm"
        hasNoPadding
        className="qd-copy"
        aria-label={label}
        title={label}
        onClick={() => setShown(!shown)}
        icon={shown ? <EyeSlashIcon /> : <EyeIcon />}
        data-testid="password-reveal"
      />
      <CopyButton text={password} what="password" />
    </span>
  );
}

/** The login that the first boot made in the guest. */
export function LoginFacts({ machine }: { machine: Machine }) {
  const { login } = machine;
  if (machine.view_only) return <p className="qd-muted">Hidden from view-only sessions</p>;
  if (!login) return <p className="qd-muted">This image brings its own users; Quarterdeck knows no login</p>;
  return (
    <Facts
      facts={[
        [
          "User",
          <span className="qd-value" key="user">
            <code>{login.user}</code>
            <CopyButton text={login.user} what="user name" />
          </span>,
        ],
        [
          "Password",
          login.password ? (
            <Password key="password" password={login.password} />
          ) : (
            "none: log in with the SSH key"
          ),
        ],
      ]}
    />
  );
}
