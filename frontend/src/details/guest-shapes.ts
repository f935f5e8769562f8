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

function text(raw: Raw, name: string): string {
  const value = raw[name];
  return typeof value === "string" ? value : "";
}

function size(raw: Raw, name: string): number | null {
  const value = raw[name];
  return typeof value === "number" ? value : null;
}

/** Read the file systems; what is missing or strange is left out. */
export function fileSystems(raw: readonly unknown[] | undefined): FileSystem[] {
  return (raw ?? []).filter(isRaw).map((entry) => ({
    mountpoint: text(entry, "mountpoint"),
    type: text(entry, "type"),
    used: size(entry, "used"),
    total: size(entry, "total"),
  }));
}

/** The names of the users who are logged in, each once. */
export function userNames(raw: readonly unknown[] | undefined): string[] {
  const names = (raw ?? []).filter(isRaw).map((entry) => text(entry, "name"));
  return [...new Set(names)].filter(Boolean);
}
