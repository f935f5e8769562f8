/** A file system of the guest; sizes in bytes, null where the agent is too old to say. */
export interface FileSystem {
  mountpoint: string;
  type: string;
  used: number | null;
  total: number | null;
}

type Raw = Record<string, unknown>;

function isRaw(value: unknown): value is Raw {
  return typeof value === "object" && value !== null;
}

function text(raw: Raw, ...names: string[]): string {
  const value = names.map((name) => raw[name]).find((found) => typeof found === "string");
  return typeof value === "string" ? value : "";
}

function size(raw: Raw, ...names: string[]): number | null {
  const value = names.map((name) => raw[name]).find((found) => typeof found === "number");
  return typeof value === "number" ? value : null;
}

/** Read the file systems; names as in QEMU's `guest-get-fsinfo`, with dashes or underscores. */
export function fileSystems(raw: readonly unknown[] | undefined): FileSystem[] {
  return (raw ?? []).filter(isRaw).map((entry) => ({
    mountpoint: text(entry, "mountpoint", "name"),
    type: text(entry, "type"),
    used: size(entry, "used-bytes", "used_bytes", "used"),
    total: size(entry, "total-bytes", "total_bytes", "total"),
  }));
}

/** Read the names of the users who are logged in, each once; as in QEMU's `guest-get-users`. */
export function userNames(raw: readonly unknown[] | undefined): string[] {
  const names = (raw ?? []).map((entry) => (isRaw(entry) ? text(entry, "user", "name") : String(entry)));
  return [...new Set(names)].filter(Boolean);
}
