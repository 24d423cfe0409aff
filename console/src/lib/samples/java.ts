/** Java: OkHttp as on the product pages, and the JDK's own client, which needs nothing else. */
import { isFile, KEY_VARIABLE, pretty, type Field, type Header, type Json, type Plan } from "./request";
import { indent, quoted } from "./text";

const value = ({ text, secret }: Header): string =>
  secret ? `${text ? `${quoted(text)} + ` : ""}System.getenv("${KEY_VARIABLE}")` : quoted(text);

/** A text block (Java 15 and newer). */
const textBlock = (json: Json, pad: string): string =>
  `"""\n${pad}${indent(pretty(json).replaceAll("\\", "\\\\").replaceAll('"""', '\\"""'), pad)}"""`;

const wrap = (imports: string[], lines: string[]): string =>
  [
    ...imports.map((name) => `import ${name};`),
    "",
    "public class Main {",
    "    public static void main(String[] args) throws Exception {",
    ...lines.map((line) => (line ? `        ${line}` : "")),
    "    }",
    "}",
  ].join("\n");

export function okhttp(plan: Plan): string {
  const imports = ["java.util.concurrent.TimeUnit", "okhttp3.*"];
  const lines = ["OkHttpClient client = new OkHttpClient.Builder().readTimeout(300, TimeUnit.SECONDS).build();", ""];
  if (plan.body.kind === "json")
    lines.push(
      `RequestBody body = RequestBody.create(MediaType.parse("application/json"), ${textBlock(plan.body.value, "                ")});`,
    );
  if (plan.body.kind === "form") {
    imports.unshift("java.io.File");
    lines.push("RequestBody body = new MultipartBody.Builder().setType(MultipartBody.FORM)");
    for (const field of plan.body.fields)
      lines.push(
        isFile(field)
          ? `        .addFormDataPart(${quoted(field.name)}, ${quoted(field.file)}, RequestBody.create(MediaType.parse("application/octet-stream"), new File(${quoted(field.file)})))`
          : `        .addFormDataPart(${quoted(field.name)}, ${quoted(field.value)})`,
      );
    lines.push("        .build();");
  }
  lines.push(
    "Request request = new Request.Builder()",
    `        .url(${quoted(plan.url)})`,
    `        .method(${quoted(plan.method)}, ${plan.body.kind !== "none" ? "body" : plan.method === "POST" ? "RequestBody.create(null, new byte[0])" : "null"})`,
    ...plan.headers.map((header) => `        .header(${quoted(header.name)}, ${value(header)})`),
    "        .build();",
    "",
    "try (Response response = client.newCall(request).execute()) {",
  );
  if (plan.stream)
    lines.push(
      "    String line;",
      "    while ((line = response.body().source().readUtf8Line()) != null) System.out.println(line);",
    );
  else if (plan.binary) {
    imports.unshift("java.nio.file.*");
    lines.push(
      `    Files.copy(response.body().byteStream(), Path.of(${quoted(plan.binary)}), StandardCopyOption.REPLACE_EXISTING);`,
    );
  } else lines.push("    System.out.println(response.body().string());");
  lines.push("}");
  return wrap(imports, lines);
}

const BOUNDARY = "tokengate-form";

/** It has no forms of its own: they are put together of texts and files. */
function parts(fields: readonly Field[]): string {
  const pieces: string[] = [];
  let text = "";
  for (const field of fields) {
    const disposition = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field.name}"`;
    if (isFile(field)) {
      text += `${disposition}; filename="${field.file}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
      pieces.push(`ofString(${quoted(text)})`, `ofFile(Path.of(${quoted(field.file)}))`);
      text = "\r\n";
    } else text += `${disposition}\r\n\r\n${field.value}\r\n`;
  }
  pieces.push(`ofString(${quoted(`${text}--${BOUNDARY}--\r\n`)})`);
  return `HttpRequest.BodyPublishers.concat(\n${pieces.map((one) => `                HttpRequest.BodyPublishers.${one}`).join(",\n")})`;
}

export function javaHttpClient(plan: Plan): string {
  const imports = [
    "java.net.URI",
    "java.net.http.HttpClient",
    "java.net.http.HttpRequest",
    "java.net.http.HttpResponse",
  ];
  const publisher =
    plan.body.kind === "json"
      ? `HttpRequest.BodyPublishers.ofString(${textBlock(plan.body.value, "                ")})`
      : plan.body.kind === "form"
        ? parts(plan.body.fields)
        : "HttpRequest.BodyPublishers.noBody()";
  const lines = [
    `HttpRequest request = HttpRequest.newBuilder(URI.create(${quoted(plan.url)}))`,
    ...plan.headers.map((header) => `        .header(${quoted(header.name)}, ${value(header)})`),
    ...(plan.body.kind === "form"
      ? [`        .header("Content-Type", "multipart/form-data; boundary=${BOUNDARY}")`]
      : []),
    `        .method(${quoted(plan.method)}, ${publisher})`,
    "        .build();",
    "",
    "HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();",
  ];
  if (plan.body.kind === "form") imports.push("java.nio.file.Path");
  if (plan.stream)
    lines.push("client.send(request, HttpResponse.BodyHandlers.ofLines()).body().forEach(System.out::println);");
  else if (plan.binary) {
    imports.push("java.nio.file.*");
    lines.push(
      `Path file = Path.of(${quoted(plan.binary)});`,
      "Files.deleteIfExists(file);",
      "client.send(request, HttpResponse.BodyHandlers.ofFile(file));",
    );
  } else lines.push("System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).body());");
  return wrap(imports, lines);
}
