/** Ruby, OCaml, Dart, R and Rust. */
import { isFile, KEY_VARIABLE, pretty, type Header, type Plan } from "./request";
import { fenceFor, quoted, quotedNoDollar } from "./text";

const rubyValue = ({ text, secret }: Header): string =>
  secret ? `"${quotedNoDollar(text).slice(1, -1)}#{ENV.fetch("${KEY_VARIABLE}")}"` : quotedNoDollar(text);

export function ruby(plan: Plan): string {
  const method = plan.method.charAt(0) + plan.method.slice(1).toLowerCase();
  const lines = [
    'require "net/http"',
    "",
    `uri = URI(${quotedNoDollar(plan.url)})`,
    `request = Net::HTTP::${method}.new(uri)`,
    ...plan.headers.map((header) => `request[${quotedNoDollar(header.name)}] = ${rubyValue(header)}`),
  ];
  if (plan.body.kind === "json") lines.push("request.body = <<'JSON'.chomp", pretty(plan.body.value), "JSON");
  if (plan.body.kind === "form") {
    lines.push("request.set_form([");
    for (const field of plan.body.fields)
      lines.push(
        `  [${quotedNoDollar(field.name)}, ${isFile(field) ? `File.open(${quotedNoDollar(field.file)})` : quotedNoDollar(field.value)}],`,
      );
    lines.push('], "multipart/form-data")');
  }
  lines.push("", 'Net::HTTP.start(uri.host, uri.port, use_ssl: uri.scheme == "https", read_timeout: 300) do |http|');
  if (plan.binary) lines.push(`  File.binwrite(${quotedNoDollar(plan.binary)}, http.request(request).body)`);
  else if (plan.stream) lines.push("  http.request(request) { |response| response.read_body { |chunk| print chunk } }");
  else lines.push("  puts http.request(request).body");
  lines.push("end");
  return lines.join("\n");
}

const ocamlValue = ({ text, secret }: Header): string =>
  secret ? `${text ? `${quoted(text)} ^ ` : ""}Sys.getenv "${KEY_VARIABLE}"` : quoted(text);

const BOUNDARY = "tokengate-form";

export function ocaml(plan: Plan): string {
  const headers = plan.headers.map((header) => `    (${quoted(header.name)}, ${ocamlValue(header)});`);
  const lines = ["(* dune: (libraries cohttp-lwt-unix) *)", "open Lwt.Infix", ""];
  if (plan.body.kind === "json") {
    const text = pretty(plan.body.value);
    const name = fenceFor(text, "json", "_", (fence) => `|${fence}}`);
    lines.push(`let body = Cohttp_lwt.Body.of_string {${name}|${text}|${name}}`, "");
  }
  if (plan.body.kind === "form") {
    headers.push(`    ("Content-Type", "multipart/form-data; boundary=${BOUNDARY}");`);
    lines.push(
      "let read name = In_channel.with_open_bin name In_channel.input_all",
      "",
      'let body = Cohttp_lwt.Body.of_string (String.concat "" [',
    );
    for (const field of plan.body.fields)
      if (isFile(field))
        lines.push(
          `  ${quoted(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field.name}"; filename="${field.file}"\r\nContent-Type: application/octet-stream\r\n\r\n`)};`,
          `  read ${quoted(field.file)}; "\\r\\n";`,
        );
      else
        lines.push(
          `  ${quoted(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field.name}"\r\n\r\n${field.value}\r\n`)};`,
        );
    lines.push(`  ${quoted(`--${BOUNDARY}--\r\n`)} ])`, "");
  }
  lines.push(
    "let headers =",
    "  Cohttp.Header.of_list [",
    ...headers,
    "  ]",
    "",
    "let () =",
    "  Lwt_main.run",
    `    (Cohttp_lwt_unix.Client.call ~headers${plan.body.kind === "none" ? "" : " ~body"} \`${plan.method}`,
    `       (Uri.of_string ${quoted(plan.url)})`,
    "     >>= fun (_response, answer) ->",
    plan.binary
      ? `     Cohttp_lwt.Body.to_string answer >>= fun data ->\n     Lwt_io.with_file ~mode:Lwt_io.Output ${quoted(plan.binary)} (fun file -> Lwt_io.write file data))`
      : "     Cohttp_lwt.Body.to_string answer >>= Lwt_io.printl)",
  );
  return lines.join("\n");
}

const dartText = (text: string): string => quotedNoDollar(text);

const dartValue = ({ text, secret }: Header): string =>
  secret ? `"${dartText(text).slice(1, -1)}\${Platform.environment['${KEY_VARIABLE}']}"` : dartText(text);

export function dart(plan: Plan): string {
  const lines: string[] = [];
  if (plan.body.kind === "form") {
    lines.push(`final request = http.MultipartRequest(${dartText(plan.method)}, Uri.parse(${dartText(plan.url)}));`);
    for (const field of plan.body.fields)
      lines.push(
        isFile(field)
          ? `request.files.add(await http.MultipartFile.fromPath(${dartText(field.name)}, ${dartText(field.file)}));`
          : `request.fields[${dartText(field.name)}] = ${dartText(field.value)};`,
      );
  } else lines.push(`final request = http.Request(${dartText(plan.method)}, Uri.parse(${dartText(plan.url)}));`);
  lines.push(
    "request.headers.addAll({",
    ...plan.headers.map((header) => `  ${dartText(header.name)}: ${dartValue(header)},`),
    "});",
  );
  if (plan.body.kind === "json") {
    const text = pretty(plan.body.value);
    lines.push(text.includes("'''") ? `request.body = ${dartText(text)};` : `request.body = r'''\n${text}''';`);
  }
  lines.push("", "final response = await request.send();");
  lines.push(
    plan.binary
      ? `await response.stream.pipe(File(${dartText(plan.binary)}).openWrite());`
      : "await stdout.addStream(response.stream);",
  );
  return [
    "import 'dart:io';",
    "",
    "import 'package:http/http.dart' as http;",
    "",
    "Future<void> main() async {",
    ...lines.map((line) => (line ? `  ${line}` : "")),
    "}",
  ].join("\n");
}

const rValue = ({ text, secret }: Header): string =>
  secret ? `paste0(${text ? `${quoted(text)}, ` : ""}Sys.getenv("${KEY_VARIABLE}"))` : quoted(text);

export function r(plan: Plan): string {
  const lines = ["library(httr)", ""];
  if (plan.body.kind === "json") {
    const text = pretty(plan.body.value);
    const dashes = fenceFor(text, "---", "-", (fence) => `)${fence}"`);
    lines.push(`payload <- r"${dashes}(${text})${dashes}"`, "");
  }
  const given = [quoted(plan.method), quoted(plan.url)];
  if (plan.headers.length > 0)
    given.push(
      `add_headers(\n${plan.headers.map((header) => `    \`${header.name}\` = ${rValue(header)}`).join(",\n")}\n  )`,
    );
  if (plan.body.kind === "json") given.push("body = payload", 'encode = "raw"');
  if (plan.body.kind === "form")
    given.push(
      `body = list(\n${plan.body.fields.map((field) => `    \`${field.name}\` = ${isFile(field) ? `upload_file(${quoted(field.file)})` : quoted(field.value)}`).join(",\n")}\n  )`,
      'encode = "multipart"',
    );
  if (plan.binary) given.push(`write_disk(${quoted(plan.binary)}, overwrite = TRUE)`);
  given.push("timeout(300)");
  lines.push("response <- VERB(", `  ${given.join(",\n  ")}`, ")");
  if (!plan.binary) lines.push('cat(content(response, "text", encoding = "UTF-8"))');
  return lines.join("\n");
}

const rustValue = ({ text, secret }: Header): string =>
  secret
    ? `format!("${quoted(text).slice(1, -1).replace(/[{}]/g, "$&$&")}{}", std::env::var("${KEY_VARIABLE}")?)`
    : quoted(text);

export function rust(plan: Plan): string {
  const features = plan.body.kind === "form" ? '"blocking", "multipart"' : '"blocking"';
  const lines: string[] = [];
  if (plan.body.kind === "json") {
    const text = pretty(plan.body.value);
    const fence = fenceFor(text, "#", "#", (marks) => `"${marks}`);
    lines.push(`let body = r${fence}"${text}"${fence};`, "");
  }
  if (plan.body.kind === "form") {
    const parts = plan.body.fields.map((field) =>
      isFile(field)
        ? `    .file(${quoted(field.name)}, ${quoted(field.file)})?`
        : `    .text(${quoted(field.name)}, ${quoted(field.value)})`,
    );
    lines.push("let form = reqwest::blocking::multipart::Form::new()", `${parts.join("\n    ")};`);
  }
  lines.push(
    "let client = reqwest::blocking::Client::builder().timeout(std::time::Duration::from_secs(300)).build()?;",
    `let ${plan.stream || plan.binary ? "mut " : ""}response = client`,
    `    .request(reqwest::Method::${plan.method}, ${quoted(plan.url)})`,
    ...plan.headers.map((header) => `    .header(${quoted(header.name)}, ${rustValue(header)})`),
  );
  if (plan.body.kind === "json") lines.push("    .body(body)");
  if (plan.body.kind === "form") lines.push("    .multipart(form)");
  lines.push("    .send()?;");
  if (plan.binary) lines.push(`response.copy_to(&mut std::fs::File::create(${quoted(plan.binary)})?)?;`);
  else if (plan.stream) lines.push("response.copy_to(&mut std::io::stdout())?;");
  else lines.push('println!("{}", response.text()?);');
  return [
    `// Cargo.toml: reqwest = { version = "0.12", features = [${features}] }`,
    "fn main() -> Result<(), Box<dyn std::error::Error>> {",
    ...lines.map((line) => (line ? `    ${line}` : "")),
    "    Ok(())",
    "}",
  ].join("\n");
}
