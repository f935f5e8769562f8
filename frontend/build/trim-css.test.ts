import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { dropUnreadProperties, trimBase } from "./trim-css.ts";

const BASE = readFileSync("node_modules/@patternfly/react-core/dist/styles/base.css", "utf8");

describe("trimBase", () => {
  const trimmed = trimBase(BASE);

  it("keeps light, dark and the upright faces of each family", () => {
    expect(trimmed).toContain(":root:where(.pf-v6-theme-dark) {");
    expect(trimmed.match(/@font-face/g)).toHaveLength(3);
  });

  it("drops other themes, italics, the icon font and pictures", () => {
    expect(trimmed).not.toMatch(/:root:where\([^)]*theme-(felt|glass|high-contrast)/);
    expect(trimmed).not.toMatch(/pficon|Italic\.woff2|assets\/images/);
  });

  it("leaves the braces in balance", () => {
    expect(trimmed.split("{")).toHaveLength(trimmed.split("}").length);
  });
});

describe("dropUnreadProperties", () => {
  it("drops chains of properties that nothing reads, and nothing else", () => {
    const css = ":root{--pf-a:1px;--pf-b:var(--pf-c);--pf-c:2px;--own:3px}.x{width:var(--pf-a);color:red}";
    expect(dropUnreadProperties(css, new Set())).toBe(
      ":root{--pf-a:1px;--own:3px}.x{width:var(--pf-a);color:red}",
    );
  });

  it("keeps what others read", () => {
    expect(dropUnreadProperties(":root{--pf-a:1px}", new Set(["--pf-a"]))).toBe(":root{--pf-a:1px}");
  });
});
