import type {
  ApiProblem,
  Disk,
  GuestFacts,
  Link,
  LogName,
  Machine,
  Metrics,
  PowerAction,
  Snapshot,
} from "./types";

/** A request that the console refused, or that never reached it (`status` 0). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: ApiProblem,
  ) {
    super(problem.message);
  }
}

/** True when the session is unknown to the console: a new link is needed. */
export function isLoggedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** The absolute address of an API path, relative to the page, so that the page works below a prefix too. */
export function apiUrl(path: string, base: string = document.baseURI): string {
  return new URL(`api/v1/${path}`, base).href;
}

/** The address of a WebSocket of the API. */
export function socketUrl(path: string, base: string = document.baseURI): string {
  return apiUrl(path, base).replace(/^http/, "ws");
}

function problemOf(status: number, body: unknown): ApiProblem {
  const error = (body as { error?: Partial<ApiProblem> } | null)?.error;
  return {
    key: error?.key ?? `http-${status}`,
    message: error?.message ?? `The console answered with status ${status}`,
    reason: error?.reason ?? "",
    hint: error?.hint ?? "",
    exit_code: error?.exit_code ?? 1,
  };
}

const UNREACHABLE: ApiProblem = {
  key: "unreachable",
  message: "The console does not answer",
  reason: "The process that watches over the machine ended, or the network to it is down",
  hint: "",
  exit_code: 1,
};

async function request(path: string, options: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(apiUrl(path), { ...options, credentials: "same-origin", cache: "no-store" });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError(0, UNREACHABLE);
  }
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => null);
  throw new ApiError(response.status, problemOf(response.status, body));
}

function send(path: string, body: unknown): Promise<Response> {
  const headers = { "Content-Type": "application/json" };
  return request(path, { method: "POST", headers, body: JSON.stringify(body) });
}

async function post<T>(path: string, body: unknown): Promise<T> {
  return (await (await send(path, body)).json()) as T;
}

async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await (await request(path, { signal: signal ?? null })).json()) as T;
}

/** The calls of the HTTP API. */
export const api = {
  machine: (signal?: AbortSignal) => get<Machine>("machine", signal),
  metrics: (signal?: AbortSignal) => get<Metrics>("metrics", signal),
  guest: (signal?: AbortSignal) => get<GuestFacts>("guest", signal),
  power: (action: PowerAction) => post<Machine>(`machine/${action}`, {}),
  link: (viewOnly: boolean) => post<Link>("links", { view_only: viewOnly }),
  screenshot: async () => (await request("screenshot")).blob(),
  spice: async () => (await send("spice", {})).blob(),
  log: async (name: LogName, bytes: number, signal?: AbortSignal) =>
    (await request(`logs/${name}?bytes=${bytes}`, { signal: signal ?? null })).text(),
  snapshots: async (signal?: AbortSignal) =>
    (await get<{ snapshots: Snapshot[] }>("snapshots", signal)).snapshots,
  disks: async (signal?: AbortSignal) => (await get<{ disks: Disk[] }>("disks", signal)).disks,
  createSnapshot: (tag: string | null, memory: boolean) => post<Snapshot>("snapshots", { tag, memory }),
  restoreSnapshot: (tag: string) => post<Snapshot>("snapshots/restore", { tag }),
  removeSnapshot: (tag: string) => send("snapshots/remove", { tag }),
  growDisk: (disk: number, size: number) =>
    post<{ disk: number; size: number }>("disks/grow", { disk, size }),
  cancelStorage: () => send("storage/cancel", {}),
  logout: () => request("logout", { method: "POST" }),
  events: (lastId: number, signal: AbortSignal) =>
    request("events", {
      signal,
      headers:
        lastId > 0
          ? { Accept: "text/event-stream", "Last-Event-ID": String(lastId) }
          : { Accept: "text/event-stream" },
    }),
};
