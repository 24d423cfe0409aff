// Writes src/api/schema.ts from the console API's OpenAPI document: `npm run types -- http://127.0.0.1:8700`.
// The argument is a running gateway, or a file with its /console/api/openapi.json.
import { readFileSync, writeFileSync } from "node:fs";

import openapiTypescript, { astToString } from "openapi-typescript";

const [source = "http://127.0.0.1:8700"] = process.argv.slice(2);
const text = /^https?:/.test(source)
  ? await (await fetch(new URL("/console/api/openapi.json", source))).text()
  : readFileSync(source, "utf8");
const nodes = await openapiTypescript(JSON.parse(text), { alphabetize: true, defaultNonNullable: false });
const head = "// Written by `npm run types` from /console/api/openapi.json. Do not edit.\n\n";
writeFileSync(new URL("../src/api/schema.ts", import.meta.url), head + astToString(nodes));
