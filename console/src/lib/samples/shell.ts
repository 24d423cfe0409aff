/** curl, and the request as it is on the wire. */
import { isFile, KEY_VARIABLE, pretty, type Header, type Plan } from "./request";
import { shellQuoted } from "./text";

export function curl(plan: Plan): string {
  const usual = plan.body.kind === "none" ? "GET" : "POST";
  const parts = [`curl --location ${plan.method === usual ? "" : `--request ${plan.method} `}${shellQuoted(plan.url)}`];
  if (plan.stream) parts.push("--no-buffer");
  parts.push(...plan.headers.map((header) => `--header ${shellHeader(header)}`));
  if (plan.body.kind === "json") parts.push(`--data ${shellQuoted(pretty(plan.body.value))}`);
  if (plan.body.kind === "form")
    for (const field of plan.body.fields)
      parts.push(
        `--form ${shellQuoted(isFile(field) ? `${field.name}=@${field.file}` : `${field.name}=${field.value}`)}`,
      );
  if (plan.binary) parts.push(`--output ${plan.binary}`);
  return parts.join(" \\\n  ");
}

function shellHeader({ name, text, secret }: Header): string {
  return secret ? `"${name}: ${text}$${KEY_VARIABLE}"` : shellQuoted(`${name}: ${text}`);
}

const BOUNDARY = "tokengate-form";

export function http(plan: Plan): string {
  const { host, pathname, search } = new URL(plan.url);
  const lines = [`${plan.method} ${pathname}${search} HTTP/1.1`, `Host: ${host}`];
  lines.push(...plan.headers.map(({ name, text, secret }) => `${name}: ${text}${secret ? `$${KEY_VARIABLE}` : ""}`));
  if (plan.body.kind === "none") return `${lines.join("\n")}\n`;
  if (plan.body.kind === "json") {
    const body = pretty(plan.body.value);
    lines.push(`Content-Length: ${new TextEncoder().encode(body).length}`);
    return `${lines.join("\n")}\n\n${body}`;
  }
  lines.push(`Content-Type: multipart/form-data; boundary=${BOUNDARY}`);
  const parts = plan.body.fields.map((field) =>
    isFile(field)
      ? `--${BOUNDARY}\nContent-Disposition: form-data; name="${field.name}"; filename="${field.file}"\nContent-Type: application/octet-stream\n\n< ${field.file}`
      : `--${BOUNDARY}\nContent-Disposition: form-data; name="${field.name}"\n\n${field.value}`,
  );
  return `${lines.join("\n")}\n\n${parts.join("\n")}\n--${BOUNDARY}--`;
}
