/** What a change of a text field means as keys: so many backspaces, then these characters. */
export interface Edit {
  erase: number;
  insert: string;
}

/** Compare a text field before and after; on-screen keyboards replace whole words and report no keys. */
export function diffInput(before: string, after: string): Edit {
  const old = [...before];
  const now = [...after];
  let common = 0;
  while (common < old.length && common < now.length && old[common] === now[common]) common += 1;
  return { erase: old.length - common, insert: now.slice(common).join("") };
}
