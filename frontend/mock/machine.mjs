// A machine that exists only here: goes through the states of docs/architecture.md and makes up its numbers.
const GIB = 2 ** 30;
const BUSY = ["running", "ready", "paused", "stopping", "panicked", "io-error"];

const GUEST = {
  available: true,
  hostname: "debian",
  os: "Debian GNU/Linux 13 (trixie)",
  kernel: "6.12.43+deb13-amd64",
  interfaces: [
    { name: "lo", mac: "00:00:00:00:00:00", addresses: ["127.0.0.1/8"] },
    { name: "enp0s2", mac: "52:54:00:12:34:56", addresses: ["10.0.2.15/24", "fec0::5054:ff:fe12:3456/64"] },
  ],
  users: [{ name: "debian", since: 1760000000 }],
  filesystems: [
    { mountpoint: "/", type: "ext4", used: 1.3 * GIB, total: 19.5 * GIB },
    { mountpoint: "/boot/efi", type: "vfat", used: 8 * 2 ** 20, total: 64 * 2 ** 20 },
  ],
  time_offset: 0.02,
};

const now = () => Date.now() / 1000;
const sleep = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

export class Machine {
  constructor(options) {
    this.options = options;
    this.events = [];
    this.listeners = new Set();
    this.samples = [];
    this.view = {
      name: "debian",
      state: "created",
      since: now(),
      reason: "",
      arch: "x86_64",
      accelerator: "tcg",
      accelerator_reason: "KVM does not run guests on this host: the processor offers neither vmx nor svm",
      cpus: 2,
      memory: 2 * GIB,
      boot: "debian:trixie",
      uuid: "5a1f9a52-7c3e-5b0f-9d3a-0c4f3d2b1a00",
      pid: null,
      viewer: null,
      viewer_open: false,
      display: options.display,
      serial: true,
      agent: true,
      ports: [
        { address: "127.0.0.1", host: 2222, guest: 22, protocol: "tcp", count: 1 },
        { address: "127.0.0.1", host: 8080, guest: 80, protocol: "tcp", count: 1 },
        { address: "127.0.0.1", host: 9000, guest: 9000, protocol: "udp", count: 11 },
      ],
      steps: [],
      error: null,
      version: "0.1.0",
    };
    this.makeHistory();
    setInterval(() => this.sample(), 2000);
  }

  describe() {
    const { viewOnly } = this.options;
    return {
      ...this.view,
      view_only: viewOnly,
      login: viewOnly ? null : { user: "debian", password: "correct-horse-7" },
    };
  }

  guest() {
    return this.view.state === "ready" ? GUEST : { available: false };
  }

  publish(type, data) {
    const event = { id: this.events.length + 1, type, data: { time: now(), ...data } };
    this.events.push(event);
    for (const listener of this.listeners) listener(event);
  }

  setState(state, reason = "") {
    Object.assign(this.view, { state, reason, since: now(), pid: BUSY.includes(state) ? 4711 : null });
    this.publish("state", { state, reason });
  }

  step(step, status, detail, rest = {}) {
    const entry = { step, status, detail, done: null, total: null, unit: "steps", ...rest };
    this.view.steps = [...this.view.steps.filter((known) => known.step !== step), entry];
    this.publish("step", entry);
  }

  async image(pace) {
    const total = 412 * 2 ** 20;
    for (let part = 0; part <= 20; part += 1) {
      this.step("image", "running", "Debian trixie for amd64", {
        done: (total / 20) * part,
        total,
        unit: "bytes",
      });
      await sleep(0.25 * pace);
    }
    this.step("image", "done", "debian-trixie-amd64.qcow2");
  }

  async start() {
    const { pace, fail } = this.options;
    this.view.steps = [];
    this.view.error = null;
    this.setState("preparing");
    this.step("host", "running", "");
    await sleep(0.5 * pace);
    this.step("host", "done", "QEMU 10.0.3, TCG with 2 CPUs");
    await this.image(pace);
    if (fail) return this.fail();
    this.step("disk", "running", "Overlay of 20 GiB");
    await sleep(0.4 * pace);
    this.step("disk", "done", "disk0.qcow2");
    this.setState("starting");
    this.step("qemu", "running", "qemu-system-x86_64");
    await sleep(0.6 * pace);
    this.step("qemu", "done", "process 4711");
    this.step("console", "done", "http://127.0.0.1:8006");
    this.step("guest", "running", "waiting for the guest agent");
    this.setState("running");
    this.publish("message", { level: "info", text: "The guest's processors run" });
    await sleep(4 * pace);
    if (this.view.state !== "running") return;
    this.step("guest", "done", "the agent answers");
    this.setState("ready");
    this.publish("guest", GUEST);
    this.publish("qemu", {
      name: "NIC_RX_FILTER_CHANGED",
      data: { name: "net0", path: "/machine/peripheral/net0" },
    });
  }

  fail() {
    this.view.error = {
      key: "disk-full",
      message: "cannot write the disk image",
      reason: "the file system of /var/lib/quarterdeck is full: 12 MiB left, 1.4 GiB needed",
      hint: "make room, or set QUARTERDECK_HOME to a folder on a larger disk",
      exit_code: 3,
    };
    this.step("disk", "failed", "no space left on device");
    this.setState("crashed", this.view.error.message);
  }

  async stop() {
    this.setState("stopping");
    this.publish("message", { level: "info", text: "Asked the guest agent to shut down" });
    await sleep(1.5);
    this.publish("qemu", { name: "SHUTDOWN", data: { guest: true, reason: "guest-shutdown" } });
    this.setState("stopped", "the guest shut down");
  }

  async act(action) {
    const acts = {
      start: () => this.start(),
      stop: () => this.stop(),
      restart: () => this.stop().then(() => this.start()),
      reset: () => this.publish("qemu", { name: "RESET", data: { guest: false } }),
      pause: () => this.setState("paused"),
      resume: () => this.setState("ready"),
      kill: () => this.setState("stopped", "stopped by force"),
    };
    void acts[action]();
  }

  makeHistory() {
    for (let back = 300; back > 0; back -= 1) this.samples.push(this.numbers(now() - back * 2));
  }

  numbers(time) {
    const wave = (period, phase) => (1 + Math.sin(time / period + phase)) / 2;
    const burst = wave(37, 1) > 0.8 ? 1 : 0.05;
    return {
      time,
      cpu: 8 + 150 * burst * wave(5, 0) + Math.random() * 8,
      memory: (0.7 + 0.3 * wave(300, 2)) * GIB,
      disk_read: burst * wave(9, 3) * 20e6,
      disk_write: burst * wave(11, 0) * 9e6,
      net_rx: wave(23, 2) ** 8 * 3e6,
      net_tx: wave(23, 2) ** 8 * 2e5,
    };
  }

  sample() {
    if (!BUSY.includes(this.view.state)) return;
    const sample = this.numbers(now());
    this.samples = [...this.samples.slice(-299), sample];
    this.publish("metrics", sample);
  }
}
