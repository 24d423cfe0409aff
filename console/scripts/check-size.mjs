// The script of a first visit (the entry and all that it imports) is at most 300 KB compressed.
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

const LIMIT_BYTES = 300 * 1024;
const STATIC = new URL("../../src/tokengate/web/static", import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(join(STATIC, "manifest.json"), "utf8"));

/** The file of a chunk and of everything that it imports before it runs. */
function filesOf(name, seen = new Set()) {
  if (seen.has(name)) return [];
  seen.add(name);
  const chunk = manifest[name];
  return [chunk.file, ...(chunk.imports ?? []).flatMap((next) => filesOf(next, seen))];
}

// The home page is the first that a visitor sees; its own chunk and the larger of the two languages count too.
const HOME = ["index.html", "src/pages/home.tsx", "src/i18n/en.ts"];
const files = [...new Set(HOME.flatMap((name) => filesOf(name)))];
const size = files.reduce((sum, file) => {
  const packed = join(STATIC, `${file}.gz`);
  return sum + statSync(existsSync(packed) ? packed : join(STATIC, file)).size;
}, 0);
console.log(`first load: ${(size / 1024).toFixed(1)} KB of script (gzip) in ${files.length} files, limit 300 KB`);
if (size > LIMIT_BYTES) process.exit(1);
