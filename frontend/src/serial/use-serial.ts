import { type RefObject, useEffect, useRef, useState } from "react";
import { socketUrl } from "../api/client";
import { notify } from "../shell/notices";
import { SerialSession, type SerialStatus } from "./session";

export interface Serial {
  session: RefObject<SerialSession | null>;
  status: SerialStatus;
  hasSelection: boolean;
}

/** Keep a terminal on the guest's serial console in `container`. */
export function useSerial(container: RefObject<HTMLElement | null>, viewOnly: boolean): Serial {
  const session = useRef<SerialSession | null>(null);
  const [status, setStatus] = useState<SerialStatus>("connecting");
  const [hasSelection, setHasSelection] = useState(false);
  useEffect(() => {
    const element = container.current;
    if (!element) return;
    let gone = false;
    const sizes = new ResizeObserver(() => session.current?.fit());
    const options = { url: socketUrl("serial"), viewOnly, onStatus: setStatus, onSelection: setHasSelection };
    SerialSession.create(element, options)
      .then((made) => {
        if (gone) return made.dispose();
        session.current = made;
        sizes.observe(element);
      })
      .catch((error: unknown) => notify("danger", "Cannot load the terminal", String(error)));
    return () => {
      gone = true;
      sizes.disconnect();
      session.current?.dispose();
      session.current = null;
    };
  }, [container, viewOnly]);
  return { session, status, hasSelection };
}
