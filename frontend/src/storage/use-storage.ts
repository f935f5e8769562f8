import { useCallback, useEffect, useRef, useState } from "react";
import { ApiError, api } from "../api/client";
import type { ApiProblem, Disk, Machine, Snapshot } from "../api/types";
import { guarded, notify } from "../shell/notices";
import { useConsole } from "../state/context";
import { disksAreKnown } from "./rules";

/** What the page knows of the machine's disks, and how it has them worked on. */
export interface Storage {
  /** Null until the console answered. */
  snapshots: readonly Snapshot[] | null;
  disks: readonly Disk[] | null;
  /** Why the lists may not be those of now. */
  problem: ApiProblem | null;
  /** What went wrong last, until it is put away. */
  error: ApiProblem | null;
  dismiss(): void;
  /** Whether an operation of this page is under way. */
  pending: boolean;
  cancelling: boolean;
  /** Do `work`; `good` is said when it is done. */
  run(work: () => Promise<unknown>, good: string): void;
  cancel(): void;
}

function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiError) return error.problem;
  const message = error instanceof Error ? error.message : String(error);
  return { key: "unexpected", message, reason: "", hint: "", exit_code: 1 };
}

interface Known {
  snapshots: readonly Snapshot[] | null;
  disks: readonly Disk[] | null;
  /** Why the last question was not answered. */
  problem: ApiProblem | null;
}

/** What the banner of a lost connection does not say already. */
function notTheConnection(error: unknown): ApiProblem | null {
  const lost = error instanceof ApiError && (error.status === 0 || error.status === 401);
  return lost ? null : asProblem(error);
}

/** Ask for snapshots and disks; the disks are not asked for while they change. */
function useKnown(machine: Machine, turn: unknown): Known {
  const [known, setKnown] = useState<Known>({ snapshots: null, disks: null, problem: null });
  const ask = disksAreKnown(machine.state);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each of these is a reason to ask again
  useEffect(() => {
    const controller = new AbortController();
    const load = async () => {
      const snapshots = await api.snapshots(controller.signal);
      setKnown((before) => ({ ...before, snapshots }));
      const disks = ask ? await api.disks(controller.signal) : null;
      setKnown({ snapshots, disks, problem: null });
    };
    load().catch((error: unknown) => {
      if (!controller.signal.aborted) setKnown((before) => ({ ...before, problem: notTheConnection(error) }));
    });
    return () => controller.abort();
  }, [machine.state, ask, turn]);
  return known;
}

/** The storage of the machine that the page shows. */
export function useStorage(machine: Machine): Storage {
  const busy = useConsole((state) => state.operation !== null);
  const online = useConsole((state) => state.connection.kind === "open");
  const [pending, setPending] = useState(false);
  const [cancelling, setCancelling] = useState(false);
  const [error, setError] = useState<ApiProblem | null>(null);
  const mounted = useMounted();
  const known = useKnown(machine, `${busy} ${pending} ${online}`);
  const fail = useCallback(
    (problem: ApiProblem) => {
      if (problem.key === "storage-cancelled") notify("info", "Cancelled", "What had begun was undone.");
      else if (mounted.current) setError(problem);
      else notify("danger", problem.message, [problem.reason, problem.hint].filter(Boolean).join(". "));
    },
    [mounted],
  );
  const run = (work: () => Promise<unknown>, good: string) => {
    setError(null);
    setPending(true);
    work()
      .then(() => notify("success", good))
      .catch((caught: unknown) => fail(asProblem(caught)))
      .finally(() => setPending(false));
  };
  const cancel = () => {
    setCancelling(true);
    void guarded("Cannot cancel", async () => {
      await api.cancelStorage();
    }).finally(() => setCancelling(false));
  };
  return { ...known, error, dismiss: () => setError(null), pending, cancelling, run, cancel };
}

/** Whether the component is still on the page when an answer comes. */
function useMounted() {
  const mounted = useRef(false);
  useEffect(() => {
    mounted.current = true;
    return () => {
      mounted.current = false;
    };
  }, []);
  return mounted;
}
