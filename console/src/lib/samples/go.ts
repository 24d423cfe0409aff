/** Go, with the standard library. */
import { isFile, KEY_VARIABLE, pretty, type Header, type Plan } from "./request";
import { quoted } from "./text";

const value = ({ text, secret }: Header): string =>
  secret ? `${text ? `${quoted(text)}+` : ""}os.Getenv("${KEY_VARIABLE}")` : quoted(text);

/** A raw literal; a backtick in it is joined on. */
const raw = (text: string): string => `\`${text.replaceAll("`", '` + "`" + `')}\``;

export function go(plan: Plan): string {
  const imports = new Set(["io", "net/http", "os"]);
  const lines: string[] = [];
  let body = "nil";
  if (plan.body.kind === "json") {
    imports.add("strings");
    body = "payload";
    lines.push(`payload := strings.NewReader(${raw(pretty(plan.body.value))})`, "");
  }
  if (plan.body.kind === "form") {
    imports.add("bytes").add("mime/multipart");
    body = "&payload";
    lines.push("var payload bytes.Buffer", "form := multipart.NewWriter(&payload)");
    for (const field of plan.body.fields)
      if (isFile(field))
        lines.push(
          "{",
          `\tfile, err := os.Open(${quoted(field.file)})`,
          "\tcheck(err)",
          `\tpart, err := form.CreateFormFile(${quoted(field.name)}, ${quoted(field.file)})`,
          "\tcheck(err)",
          "\t_, err = io.Copy(part, file)",
          "\tcheck(err)",
          "}",
        );
      else lines.push(`check(form.WriteField(${quoted(field.name)}, ${quoted(field.value)}))`);
    lines.push("check(form.Close())", "");
  }
  lines.push(`request, err := http.NewRequest(${quoted(plan.method)}, ${quoted(plan.url)}, ${body})`, "check(err)");
  lines.push(...plan.headers.map((header) => `request.Header.Set(${quoted(header.name)}, ${value(header)})`));
  if (plan.body.kind === "form") lines.push('request.Header.Set("Content-Type", form.FormDataContentType())');
  lines.push("", "response, err := http.DefaultClient.Do(request)", "check(err)", "defer response.Body.Close()");
  if (plan.binary)
    lines.push(
      `output, err := os.Create(${quoted(plan.binary)})`,
      "check(err)",
      "_, err = io.Copy(output, response.Body)",
      "check(err)",
    );
  else lines.push("_, err = io.Copy(os.Stdout, response.Body)", "check(err)");
  const names = [...imports].sort().map((name) => `\t"${name}"`);
  return [
    "package main",
    "",
    "import (",
    ...names,
    ")",
    "",
    "func main() {",
    ...lines.map((line) => (line ? `\t${line}` : "")),
    "}",
    "",
    "func check(err error) {",
    "\tif err != nil {",
    "\t\tpanic(err)",
    "\t}",
    "}",
  ].join("\n");
}
