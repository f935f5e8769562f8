import { Button } from "@patternfly/react-core/dist/esm/components/Button";
import CheckIcon from "@patternfly/react-icons/dist/esm/icons/check-icon";
import CopyIcon from "@patternfly/react-icons/dist/esm/icons/copy-icon";
import { useEffect, useState } from "react";
import { copyText } from "./copy";
import { guarded } from "./notices";

/** Small button that copies `text`; `what` names it for screen readers. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = () => guarded(`Cannot copy ${what}`, () => copyText(text).then(() => setCopied(true)));
  const label = copied ? "Copied" : `Copy ${what}`;
  return (
    <Button
      variant="plain"
      size="sm"
      hasNoPadding
      className="qd-copy"
      aria-label={label}
      title={label}
      onClick={() => void copy()}
      icon={copied ? <CheckIcon className="qd-good" /> : <CopyIcon />}
    />
  );
}
