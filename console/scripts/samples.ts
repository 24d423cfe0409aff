/**
 * Prints all samples of a request as JSON: `npm run --silent samples -- --base-url http://127.0.0.1:8700 < request.json`.
 * The request is an endpoint page's `sample_request`, or a list of them; the answer then is a list of lists.
 * With `--key sk-...` the samples show that key instead of reading it from the environment.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

import { writeSamples, type SampleRequest } from "../src/lib/samples/index";

const { values } = parseArgs({
  options: { "base-url": { type: "string", default: "http://127.0.0.1:8700" }, key: { type: "string" } },
});
const given = JSON.parse(readFileSync(0, "utf8")) as SampleRequest | SampleRequest[];
const options = { base_url: values["base-url"], key: values.key ?? null };
const samples = Array.isArray(given) ? given.map((one) => writeSamples(one, options)) : writeSamples(given, options);
process.stdout.write(`${JSON.stringify(samples, null, 2)}\n`);
