import { fileURLToPath } from "node:url";

import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: {
    alias: {
      "@": here("./src"),
      // Radix locks scrolling through a <style> element, which our content security policy refuses.
      "react-style-singleton": here("./src/lib/style-singleton.ts"),
    },
  },
  build: {
    outDir: here("../src/tokengate/web/static"),
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
  },
  server: {
    proxy: Object.fromEntries(
      ["/console/api", "/v1", "/api/", "/compatible-mode", "/openapi.json", "/collection.json", "/llms.txt"].map(
        (path) => [path, { target: process.env["TOKENGATE_URL"] ?? "http://127.0.0.1:8700" }],
      ),
    ),
  },
  test: { include: ["tests/**/*.test.ts"] },
});
