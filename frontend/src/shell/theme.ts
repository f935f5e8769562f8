import { useCallback, useEffect, useState } from "react";

export type Theme = "light" | "dark";

const KEY = "quarterdeck-theme";
const DARK = "(prefers-color-scheme: dark)";

/** What the reader chose, null when the system decides. Storage may be forbidden; then nothing is remembered. */
function stored(): Theme | null {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    return null;
  }
}

function remember(theme: Theme | null): void {
  try {
    if (theme) localStorage.setItem(KEY, theme);
    else localStorage.removeItem(KEY);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

function system(): Theme {
  return matchMedia(DARK).matches ? "dark" : "light";
}

function apply(theme: Theme): void {
  document.documentElement.classList.toggle("pf-v6-theme-dark", theme === "dark");
  document.documentElement.style.colorScheme = theme;
}

/** Show the right theme before anything is drawn. */
export function initTheme(): void {
  apply(stored() ?? system());
}

/** The theme shown and a switch to the other one. Choosing what the system says means to follow it again. */
export function useTheme(): [Theme, () => void] {
  const [choice, setChoice] = useState(stored);
  const [preferred, setPreferred] = useState(system);
  const theme = choice ?? preferred;
  useEffect(() => {
    const query = matchMedia(DARK);
    const onChange = () => setPreferred(system());
    query.addEventListener("change", onChange);
    return () => query.removeEventListener("change", onChange);
  }, []);
  useEffect(() => apply(theme), [theme]);
  const toggle = useCallback(() => {
    const next: Theme = theme === "dark" ? "light" : "dark";
    const kept = next === system() ? null : next;
    remember(kept);
    setChoice(kept);
  }, [theme]);
  return [theme, toggle];
}
