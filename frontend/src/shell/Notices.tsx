import { Alert, AlertActionCloseButton, AlertGroup } from "@patternfly/react-core/dist/esm/components/Alert";
import { dismiss, useNotices } from "./notices";

const SHOWN = 6000;

/** Messages that float above the page. */
export function Notices() {
  const notices = useNotices();
  return (
    <AlertGroup isToast isLiveRegion>
      {notices.map((notice) => (
        <Alert
          key={notice.id}
          variant={notice.variant}
          title={notice.title}
          timeout={notice.variant === "danger" ? false : SHOWN}
          onTimeout={() => dismiss(notice.id)}
          actionClose={<AlertActionCloseButton title={notice.title} onClose={() => dismiss(notice.id)} />}
        >
          {notice.text}
        </Alert>
      ))}
    </AlertGroup>
  );
}
