/** The HTTP contract of docs/architecture.md. Sizes are bytes, times seconds since the epoch. */

export type MachineState =
  | "created"
  | "preparing"
  | "starting"
  | "running"
  | "ready"
  | "paused"
  | "stopping"
  | "stopped"
  | "crashed"
  | "panicked"
  | "io-error";

export type StepStatus = "running" | "done" | "failed";

export interface Step {
  step: string;
  status: StepStatus;
  detail: string;
  done: number | null;
  total: number | null;
  unit: string;
}

export interface ApiProblem {
  key: string;
  message: string;
  reason: string;
  hint: string;
  exit_code: number;
}

/** `password` is empty where only a key logs in. */
export interface Login {
  user: string;
  password: string;
}

/** Host ports `host`..`host + count - 1` lead to guest ports from `guest` on. */
export interface Port {
  address: string;
  host: number;
  guest: number;
  protocol: string;
  count: number;
}

export type DisplayKind = "vnc" | "spice" | "none";

export interface Machine {
  name: string;
  state: MachineState;
  since: number | null;
  reason: string | null;
  arch: string;
  accelerator: string | null;
  accelerator_reason: string | null;
  cpus: number;
  memory: number;
  boot: string | null;
  uuid: string | null;
  pid: number | null;
  viewer: string | null;
  /** Whether the viewer port asks nobody who they are. */
  viewer_open: boolean;
  display: DisplayKind;
  /** Whether the machine that runs has a serial console; false while none runs. */
  serial: boolean;
  /** Whether the guest agent answers. */
  agent: boolean;
  login: Login | null;
  ports: Port[];
  steps: Step[];
  error: ApiProblem | null;
  view_only: boolean;
  version: string;
}

/** `cpu` is percent of one core, so two busy cores are 200; the rates are bytes per second, null where nobody counts. */
export interface Sample {
  time: number;
  cpu: number;
  memory: number;
  disk_read: number | null;
  disk_write: number | null;
  net_rx: number | null;
  net_tx: number | null;
}

export interface Metrics {
  interval: number;
  samples: Sample[];
}

export interface GuestInterface {
  name: string;
  mac: string | null;
  addresses: string[];
}

/** The agent's facts; `users` have a `name`, `filesystems` a `mountpoint`, `type`, `used` and `total`. */
export interface GuestFacts {
  available: boolean;
  hostname?: string | null;
  os?: string | null;
  kernel?: string | null;
  interfaces?: GuestInterface[];
  users?: unknown[];
  filesystems?: unknown[];
  time_offset?: number | null;
}

/** How whole the disks are: machine off, with memory, file systems frozen, or as after a power cut. */
export type Consistency = "stopped" | "memory" | "agent" | "crash";

export interface Snapshot {
  tag: string;
  created: number;
  memory: boolean;
  consistency: Consistency;
  disks: string[];
}

/** A disk that the machine writes. `size` is what the guest sees, `used` what it takes on the host. */
export interface Disk {
  disk: number;
  name: string;
  format: string;
  size: number;
  used: number;
  /** Whether it can hold snapshots. */
  snapshots: boolean;
  /** Null for view-only sessions. */
  path: string | null;
}

export type Level = "info" | "warning" | "error";

interface Stamped {
  time: number;
}

export interface StepEvent extends Step, Stamped {}
export interface StateEvent extends Stamped {
  state: MachineState;
  reason: string | null;
}
export interface MessageEventData extends Stamped {
  level: Level;
  text: string;
}
export interface QemuEvent extends Stamped {
  name: string;
  data: unknown;
}

export type MachineEvent =
  | { id: number; type: "step"; data: StepEvent }
  | { id: number; type: "state"; data: StateEvent }
  | { id: number; type: "message"; data: MessageEventData }
  | { id: number; type: "qemu"; data: QemuEvent }
  | { id: number; type: "metrics"; data: Sample }
  | { id: number; type: "guest"; data: GuestFacts & Stamped };

export type EventType = MachineEvent["type"];

export type PowerAction = "start" | "stop" | "restart" | "reset" | "pause" | "resume" | "kill";

export type LogName = "serial" | "qemu" | "supervisor";

export interface Link {
  url: string;
  path: string;
}
