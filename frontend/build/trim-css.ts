import type { Plugin } from "vite";

// PatternFly's base style sheet carries themes, an icon font and italic faces that this page never
// shows: about half of its size. They are cut out of the source before it is bundled.
const UNUSED_THEME = /:root:where\([^)]*theme-(?:felt|glass|high-contrast)[^)]*\)\s*\{[^}]*\}/g;
const FONT_FACE = /@font-face\s*\{[^}]*\}/g;
const ICON_RULE = /(?:\.pf-v6-pficon[^{},]*,\s*)*\.pf-v6-pficon[^{},]*\{[^}]*\}/g;
const IMAGE_TOKEN = /--pf-t--[\w-]+:\s*url\([^)]*\);/g;

/** Cut the unused parts out of PatternFly's base style sheet. */
export function trimBase(css: string): string {
  return css
    .replace(UNUSED_THEME, "")
    .replace(FONT_FACE, (face) => (/italic|pficon/i.test(face) ? "" : face))
    .replace(ICON_RULE, "")
    .replace(IMAGE_TOKEN, "");
}

/**
 * Drop custom properties that no rule reads, until none is left to drop.
 *
 * PatternFly defines thousands of design tokens; `read` names those that scripts or other style
 * sheets use besides `css` itself.
 */
export function dropUnreadProperties(css: string, read: ReadonlySet<string>): string {
  const used = new Set(read);
  for (const match of css.matchAll(/var\(\s*(--[\w-]+)/g)) used.add(match[1] ?? "");
  const next = css.replace(/(?<=[{;])\s*(--pf-[\w-]+)\s*:[^;{}]*(;|(?=\}))/g, (whole, name: string) =>
    used.has(name) ? whole : "",
  );
  return next.length === css.length ? css : dropUnreadProperties(next, read);
}

/** Vite plugin: trim PatternFly's base style sheet, then the unread tokens of every bundled style sheet. */
export function trimCss(): Plugin {
  return {
    name: "trim-css",
    enforce: "pre",
    transform(code, id) {
      return id.endsWith("react-core/dist/styles/base.css") ? { code: trimBase(code), map: null } : null;
    },
    generateBundle(_options, bundle) {
      const files = Object.values(bundle);
      const text = (file: (typeof files)[number]): string =>
        file.type === "chunk" ? file.code : file.fileName.endsWith(".css") ? String(file.source) : "";
      const everything = files.map(text).join("\n");
      const read = new Set<string>();
      for (const match of everything.matchAll(/var\(\s*(--[\w-]+)/g)) read.add(match[1] ?? "");
      for (const file of files) {
        if (file.type === "asset" && file.fileName.endsWith(".css")) {
          file.source = dropUnreadProperties(String(file.source), read);
        }
      }
    },
  };
}
