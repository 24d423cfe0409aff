/** C, with libcurl. */
import { isFile, KEY_VARIABLE, pretty, type Plan } from "./request";
import { quoted as quotedWithTrigraphs } from "./text";

/** Two question marks begin a trigraph. */
const quoted = (text: string): string => quotedWithTrigraphs(text).replaceAll("??", "?\\?");

export function c(plan: Plan): string {
  const lines: string[] = [];
  const secret = plan.headers.some((header) => header.secret);
  if (plan.body.kind === "json") {
    const text = pretty(plan.body.value).split("\n");
    lines.push(
      "const char *body =",
      ...text.map(
        (line, index) =>
          `    ${quoted(index < text.length - 1 ? `${line}\n` : line)}${index < text.length - 1 ? "" : ";"}`,
      ),
      "",
    );
  }
  lines.push(
    "curl_global_init(CURL_GLOBAL_DEFAULT);",
    "CURL *curl = curl_easy_init();",
    "struct curl_slist *headers = NULL;",
  );
  if (secret) lines.push("char authorization[512];");
  for (const { name, text, secret: own } of plan.headers)
    if (own)
      lines.push(
        `snprintf(authorization, sizeof authorization, ${quoted(`${name}: ${text}%s`)}, getenv("${KEY_VARIABLE}"));`,
        "headers = curl_slist_append(headers, authorization);",
      );
    else lines.push(`headers = curl_slist_append(headers, ${quoted(`${name}: ${text}`)});`);
  lines.push(
    "",
    `curl_easy_setopt(curl, CURLOPT_URL, ${quoted(plan.url)});`,
    `curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ${quoted(plan.method)});`,
    "curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);",
  );
  if (plan.body.kind === "json") lines.push("curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);");
  if (plan.body.kind === "form") {
    lines.push("", "curl_mime *form = curl_mime_init(curl);", "curl_mimepart *part;");
    for (const field of plan.body.fields)
      lines.push(
        "part = curl_mime_addpart(form);",
        `curl_mime_name(part, ${quoted(field.name)});`,
        isFile(field)
          ? `curl_mime_filedata(part, ${quoted(field.file)});`
          : `curl_mime_data(part, ${quoted(field.value)}, CURL_ZERO_TERMINATED);`,
      );
    lines.push("curl_easy_setopt(curl, CURLOPT_MIMEPOST, form);");
  }
  if (plan.binary)
    lines.push(
      `FILE *output = fopen(${quoted(plan.binary)}, "wb");`,
      "curl_easy_setopt(curl, CURLOPT_WRITEDATA, output);",
    );
  lines.push(
    "",
    "CURLcode result = curl_easy_perform(curl);",
    'if (result != CURLE_OK) fprintf(stderr, "%s\\n", curl_easy_strerror(result));',
    "",
  );
  if (plan.binary) lines.push("fclose(output);");
  if (plan.body.kind === "form") lines.push("curl_mime_free(form);");
  lines.push("curl_slist_free_all(headers);", "curl_easy_cleanup(curl);", "return result != CURLE_OK;");
  return [
    "#include <curl/curl.h>",
    "#include <stdio.h>",
    "#include <stdlib.h>",
    "",
    "int main(void) {",
    ...lines.map((line) => (line ? `    ${line}` : "")),
    "}",
  ].join("\n");
}
