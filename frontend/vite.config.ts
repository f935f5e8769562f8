import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";
import { trimCss } from "./build/trim-css.ts";

export default defineConfig({
  plugins: [react(), trimCss()],
  // Relative addresses: the page also works below a path, such as behind a proxy.
  base: "./",
  build: {
    outDir: "../src/quarterdeck/console/static",
    emptyOutDir: true,
    target: "es2022",
    // The console's Content-Security-Policy allows no data: fonts or scripts.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
  },
  server: { proxy: { "/api": { target: "http://127.0.0.1:8007", ws: true } } },
  test: { include: ["src/**/*.test.ts", "build/**/*.test.ts"], environment: "node" },
});
