/** JavaScript modules for Node 18 and newer: fetch and axios. */
import { isFile, KEY_VARIABLE, pretty, type Body, type Header, type Plan } from "./request";
import { indent, quoted } from "./text";

const value = ({ text, secret }: Header): string =>
  secret ? `\`${text.replace(/[\\`$]/g, "\\$&")}\${process.env.${KEY_VARIABLE}}\`` : quoted(text);

function headers(plan: Plan): string {
  const lines = plan.headers.map(
    (header) => `${/^\w+$/.test(header.name) ? header.name : quoted(header.name)}: ${value(header)},`,
  );
  return `{\n    ${lines.join("\n    ")}\n  }`;
}

function form(body: Body): [string[], string[]] {
  if (body.kind !== "form") return [[], []];
  const imports = body.fields.some(isFile) ? ['import { openAsBlob } from "node:fs";'] : [];
  const lines = body.fields.map((field) =>
    isFile(field)
      ? `form.append(${quoted(field.name)}, await openAsBlob(${quoted(field.file)}), ${quoted(field.file)});`
      : `form.append(${quoted(field.name)}, ${quoted(field.value)});`,
  );
  return [imports, ["const form = new FormData();", ...lines, ""]];
}

export function fetchSample(plan: Plan): string {
  const [imports, lines] = form(plan.body);
  const given = [`method: ${quoted(plan.method)},`];
  if (plan.headers.length > 0) given.push(`headers: ${headers(plan)},`);
  if (plan.body.kind === "json") given.push(`body: JSON.stringify(${indent(pretty(plan.body.value), "  ")}),`);
  if (plan.body.kind === "form") given.push("body: form,");
  const files = plan.binary ? ['import { writeFile } from "node:fs/promises";'] : [];
  const show = plan.stream
    ? "for await (const chunk of response.body) process.stdout.write(chunk);"
    : plan.binary
      ? `await writeFile(${quoted(plan.binary)}, Buffer.from(await response.arrayBuffer()));`
      : "console.log(await response.text());";
  const head = [...files, ...imports];
  return [
    ...(head.length > 0 ? [...head, ""] : []),
    ...lines,
    `const response = await fetch(${quoted(plan.url)}, {`,
    `  ${given.join("\n  ")}`,
    "});",
    "",
    show,
  ].join("\n");
}

export function axiosSample(plan: Plan): string {
  const [imports, lines] = form(plan.body);
  const given = [`method: ${quoted(plan.method.toLowerCase())},`, `url: ${quoted(plan.url)},`];
  if (plan.headers.length > 0) given.push(`headers: ${headers(plan)},`);
  if (plan.body.kind === "json") given.push(`data: ${indent(pretty(plan.body.value), "  ")},`);
  if (plan.body.kind === "form") given.push("data: form,");
  if (plan.stream || plan.binary) given.push('responseType: "stream",');
  const files = plan.binary ? ['import { createWriteStream } from "node:fs";'] : [];
  const show = plan.stream
    ? "response.data.pipe(process.stdout);"
    : plan.binary
      ? `response.data.pipe(createWriteStream(${quoted(plan.binary)}));`
      : plan.text
        ? "console.log(response.data);"
        : "console.log(JSON.stringify(response.data, null, 2));";
  return [
    'import axios from "axios";',
    ...files,
    ...imports,
    "",
    ...lines,
    "const response = await axios.request({",
    `  ${given.join("\n  ")}`,
    "});",
    "",
    show,
  ].join("\n");
}
