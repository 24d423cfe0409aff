// Puts a .br and a .gz beside each built file that gains from it, for the server to send as they are.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const STATIC = new URL("../../src/tokengate/web/static", import.meta.url).pathname;
const TEXT = /\.(js|css|html|svg|json|txt)$/;
const WORTH = 0.9;

for (const entry of readdirSync(STATIC, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !TEXT.test(entry.name)) continue;
  const file = join(entry.parentPath, entry.name);
  const data = readFileSync(file);
  const packed = {
    br: brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
    gz: gzipSync(data, { level: 9 }),
  };
  for (const [suffix, bytes] of Object.entries(packed))
    if (bytes.length < data.length * WORTH) writeFileSync(`${file}.${suffix}`, bytes);
}
