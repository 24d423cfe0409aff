/** Python with requests, and the literals that the SDK samples share. */
import { isFile, KEY_VARIABLE, type Header, type Json, type Plan } from "./request";
import { quoted } from "./text";

/** A Python literal of a JSON value. */
export function pythonLiteral(value: Json, pad = ""): string {
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "number") return String(value);
  if (typeof value === "string") return quoted(value);
  const inner = `${pad}    `;
  if (Array.isArray(value))
    return value.length === 0
      ? "[]"
      : `[\n${value.map((one) => `${inner}${pythonLiteral(one, inner)},\n`).join("")}${pad}]`;
  const entries = Object.entries(value);
  return entries.length === 0
    ? "{}"
    : `{\n${entries.map(([name, one]) => `${inner}${quoted(name)}: ${pythonLiteral(one, inner)},\n`).join("")}${pad}}`;
}

const headerValue = ({ text, secret }: Header): string =>
  secret
    ? text
      ? `f${quoted(text).slice(0, -1)}{os.environ['${KEY_VARIABLE}']}"`
      : `os.environ["${KEY_VARIABLE}"]`
    : quoted(text);

export function requestsSample(plan: Plan): string {
  const secret = plan.headers.some((header) => header.secret);
  const given = [quoted(plan.url)];
  if (plan.headers.length > 0)
    given.push(
      `headers={\n${plan.headers.map((header) => `        ${quoted(header.name)}: ${headerValue(header)},\n`).join("")}    }`,
    );
  // requests sets the type of a JSON body by itself; what is given stays as it is.
  if (plan.body.kind === "json") given.push(`json=${pythonLiteral(plan.body.value, "    ")}`);
  if (plan.body.kind === "form") {
    const files = plan.body.fields.filter(isFile);
    const fields = plan.body.fields.flatMap((field) => (isFile(field) ? [] : [field]));
    if (fields.length > 0)
      given.push(
        `data={\n${fields.map((field) => `        ${quoted(field.name)}: ${quoted(field.value)},\n`).join("")}    }`,
      );
    given.push(
      `files=[\n${files.map((field) => `        (${quoted(field.name)}, open(${quoted(field.file)}, "rb")),\n`).join("")}    ]`,
    );
  }
  if (plan.stream) given.push("stream=True");
  given.push("timeout=300");
  const show = plan.stream
    ? 'for line in response.iter_lines():\n    if line:\n        print(line.decode("utf-8"), flush=True)'
    : plan.binary
      ? `with open(${quoted(plan.binary)}, "wb") as file:\n    file.write(response.content)`
      : !plan.text
        ? "print(json.dumps(response.json(), indent=2, ensure_ascii=False))"
        : "print(response.text)";
  const imports = [show.includes("json.dumps") && "import json", secret && "import os"].filter(Boolean);
  return [
    ...imports,
    ...(imports.length > 0 ? [""] : []),
    "import requests",
    "",
    `response = requests.${plan.method.toLowerCase()}(`,
    ...given.map((line) => `    ${line},`),
    ")",
    show,
  ].join("\n");
}
