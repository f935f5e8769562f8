/** Let the browser save data as a file. */
export function saveBlob(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** `NAME-2026-01-31-17-05-09.png`, in local time. */
export function fileName(machine: string, suffix: string, date: Date): string {
  const part = (value: number) => String(value).padStart(2, "0");
  const day = [date.getFullYear(), part(date.getMonth() + 1), part(date.getDate())];
  const time = [part(date.getHours()), part(date.getMinutes()), part(date.getSeconds())];
  return `${machine}-${[...day, ...time].join("-")}.${suffix}`;
}
