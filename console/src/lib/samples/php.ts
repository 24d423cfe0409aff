/** PHP: Guzzle, and the curl extension. */
import { isFile, KEY_VARIABLE, pretty, type Header, type Json, type Plan } from "./request";
import { singleQuoted } from "./text";

/** In single quotes; a line break needs double quotes. */
const text = (value: string): string =>
  value.includes("\n") ? `"${value.replace(/[\\"$]/g, "\\$&").replaceAll("\n", "\\n")}"` : singleQuoted(value);

/** A here-document without variables. */
const nowdoc = (value: Json): string => `<<<'JSON'\n${pretty(value)}\nJSON`;

const joined = (before: string, secret: boolean): string =>
  secret ? `${before ? `${text(before)} . ` : ""}getenv('${KEY_VARIABLE}')` : text(before);

const guzzleHeader = (header: Header): string =>
  `        ${text(header.name)} => ${joined(header.text, header.secret)},`;

export function guzzle(plan: Plan): string {
  const lines = ["<?php", "require 'vendor/autoload.php';", ""];
  if (plan.body.kind === "json") lines.push(`$body = ${nowdoc(plan.body.value)};`, "");
  lines.push(
    "$client = new \\GuzzleHttp\\Client();",
    `$response = $client->request(${text(plan.method)}, ${text(plan.url)}, [`,
  );
  if (plan.headers.length > 0) lines.push("    'headers' => [", ...plan.headers.map(guzzleHeader), "    ],");
  if (plan.body.kind === "json") lines.push("    'body' => $body,");
  if (plan.body.kind === "form") {
    lines.push("    'multipart' => [");
    for (const field of plan.body.fields)
      lines.push(
        isFile(field)
          ? `        ['name' => ${text(field.name)}, 'contents' => fopen(${text(field.file)}, 'r'), 'filename' => ${text(field.file)}],`
          : `        ['name' => ${text(field.name)}, 'contents' => ${text(field.value)}],`,
      );
    lines.push("    ],");
  }
  if (plan.stream) lines.push("    'stream' => true,");
  if (plan.binary) lines.push(`    'sink' => ${text(plan.binary)},`);
  lines.push("    'http_errors' => false,", "]);", "");
  if (plan.stream)
    lines.push("while (!$response->getBody()->eof()) {", "    echo $response->getBody()->read(1024);", "}");
  else if (!plan.binary) lines.push("echo $response->getBody();");
  return lines.join("\n");
}

export function phpCurl(plan: Plan): string {
  const lines = ["<?php"];
  if (plan.body.kind === "json") lines.push(`$body = ${nowdoc(plan.body.value)};`, "");
  lines.push(
    `$curl = curl_init(${text(plan.url)});`,
    "curl_setopt_array($curl, [",
    `    CURLOPT_CUSTOMREQUEST => ${text(plan.method)},`,
    "    CURLOPT_TIMEOUT => 300,",
  );
  lines.push(
    "    CURLOPT_HTTPHEADER => [",
    ...plan.headers.map(({ name, text: value, secret }) => `        ${joined(`${name}: ${value}`, secret)},`),
    "    ],",
  );
  if (plan.body.kind === "json") lines.push("    CURLOPT_POSTFIELDS => $body,");
  if (plan.body.kind === "form") {
    lines.push("    CURLOPT_POSTFIELDS => [");
    for (const field of plan.body.fields)
      lines.push(
        `        ${text(field.name)} => ${isFile(field) ? `new CURLFile(${text(field.file)})` : text(field.value)},`,
      );
    lines.push("    ],");
  }
  if (plan.binary) lines.push(`    CURLOPT_FILE => fopen(${text(plan.binary)}, 'w'),`);
  // Without RETURNTRANSFER the answer is printed as it comes.
  lines.push("]);", "", "if (curl_exec($curl) === false) {", "    fwrite(STDERR, curl_error($curl));", "}");
  return lines.join("\n");
}
