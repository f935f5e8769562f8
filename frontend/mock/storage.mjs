// The disks of the made-up machine: operations take some seconds and can be cancelled.
const GIB = 2 ** 30;

const now = () => Date.now() / 1000;
const problem = (key, message, rest = {}) => ({ key, message, reason: "", hint: "", exit_code: 2, ...rest });

export class Storage {
  constructor(machine) {
    this.machine = machine;
    this.cancelled = () => undefined;
    this.snapshots = [
      {
        tag: "installed",
        created: now() - 3 * 86400,
        memory: false,
        consistency: "stopped",
        disks: ["disk0"],
      },
      {
        tag: "before-upgrade",
        created: now() - 7300,
        memory: false,
        consistency: "agent",
        disks: ["disk0", "disk1"],
      },
      {
        tag: "just-now",
        created: now() - 340,
        memory: true,
        consistency: "memory",
        disks: ["disk0", "disk1"],
      },
    ];
    const common = { format: "qcow2", snapshots: true };
    this.disks = [
      { ...common, disk: 0, name: "disk0", size: 20 * GIB, used: 1.4 * GIB },
      { ...common, disk: 1, name: "disk1", size: 100 * GIB, used: 0.2 * GIB },
    ].map((disk) => ({
      ...disk,
      path: machine.options.viewOnly ? null : `/var/lib/quarterdeck/machines/debian/vm/${disk.name}.qcow2`,
    }));
  }

  /** Do `change` after some seconds, unless it is cancelled before. */
  async operate(what, change) {
    const { machine } = this;
    if (this.busy)
      throw problem("storage-busy", "another snapshot, backup or clone of this machine is under way");
    this.busy = true;
    machine.step("storage", "running", what);
    const cancelled = await new Promise((resolve) => {
      this.cancelled = () => resolve(true);
      setTimeout(() => resolve(false), 3000 * machine.options.pace);
    });
    this.busy = false;
    machine.step("storage", cancelled ? "failed" : "done", what);
    if (cancelled) throw problem("storage-cancelled", "it was cancelled; what had begun was undone");
    return change();
  }

  create({ tag, memory }) {
    const made = { tag: tag ?? new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, "") };
    return this.operate(`making the snapshot '${made.tag}'`, () => {
      if (made.tag === "full") {
        const reason = "qemu-img: Failed to write snapshot table: No space left on device";
        throw problem("disk-full", "there is no space left", { reason, hint: "make room and try again" });
      }
      const consistency = memory ? "memory" : "agent";
      Object.assign(made, { created: now(), memory, consistency, disks: this.disks.map(({ name }) => name) });
      this.snapshots.push(made);
      return made;
    });
  }

  restore({ tag }) {
    return this.operate(`going back to the snapshot '${tag}'`, () =>
      this.snapshots.find((snapshot) => snapshot.tag === tag),
    );
  }

  remove({ tag }) {
    return this.operate(`removing the snapshot '${tag}'`, () => {
      this.snapshots = this.snapshots.filter((snapshot) => snapshot.tag !== tag);
    });
  }

  grow({ disk, size }) {
    return this.operate(`growing disk${disk}`, () => {
      this.disks[disk].size = size;
      return { disk, size };
    });
  }

  /** What the console's requests about disks come to. */
  routes() {
    return {
      "GET snapshots": async () => ({ snapshots: this.snapshots }),
      "GET disks": async () => ({ disks: this.disks }),
      "POST snapshots": (body) => this.create(body),
      "POST snapshots/restore": (body) => this.restore(body),
      "POST snapshots/remove": (body) => this.remove(body),
      "POST disks/grow": (body) => this.grow(body),
      "POST storage/cancel": async () => this.cancelled(),
    };
  }
}
