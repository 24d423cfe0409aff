/** C#: HttpClient, and RestSharp (107 and newer). Raw string literals need C# 11. */
import { isFile, KEY_VARIABLE, pretty, type Header, type Json, type Plan } from "./request";
import { quoted } from "./text";

const value = ({ text, secret }: Header): string =>
  secret ? `${text ? `${quoted(text)} + ` : ""}Environment.GetEnvironmentVariable("${KEY_VARIABLE}")` : quoted(text);

function rawText(json: Json): string {
  const text = pretty(json);
  const fence = text.includes('"""') ? '"""""' : '"""';
  return `${fence}\n${text}\n${fence}`;
}

const isContentType = (header: Header): boolean => header.name.toLowerCase() === "content-type";

export function httpClient(plan: Plan): string {
  const lines = ["using System.Text;", ""];
  if (plan.body.kind === "json") lines.push(`var body = ${rawText(plan.body.value)};`, "");
  lines.push(
    "using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(300) };",
    `using var request = new HttpRequestMessage(new HttpMethod(${quoted(plan.method)}), ${quoted(plan.url)});`,
    ...plan.headers
      .filter((header) => !isContentType(header))
      .map((header) => `request.Headers.TryAddWithoutValidation(${quoted(header.name)}, ${value(header)});`),
  );
  if (plan.body.kind === "json")
    lines.push('request.Content = new StringContent(body, Encoding.UTF8, "application/json");');
  if (plan.body.kind === "form") {
    lines.push("using var form = new MultipartFormDataContent();");
    for (const field of plan.body.fields)
      lines.push(
        isFile(field)
          ? `form.Add(new StreamContent(File.OpenRead(${quoted(field.file)})), ${quoted(field.name)}, ${quoted(field.file)});`
          : `form.Add(new StringContent(${quoted(field.value)}), ${quoted(field.name)});`,
      );
    lines.push("request.Content = form;");
  }
  lines.push(
    "",
    `using var response = await client.SendAsync(request${plan.stream ? ", HttpCompletionOption.ResponseHeadersRead" : ""});`,
  );
  if (plan.stream)
    lines.push(
      "using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());",
      "while (await reader.ReadLineAsync() is { } line) Console.WriteLine(line);",
    );
  else if (plan.binary)
    lines.push(`await File.WriteAllBytesAsync(${quoted(plan.binary)}, await response.Content.ReadAsByteArrayAsync());`);
  else lines.push("Console.WriteLine(await response.Content.ReadAsStringAsync());");
  return lines.join("\n");
}

export function restSharp(plan: Plan): string {
  const method = plan.method.charAt(0) + plan.method.slice(1).toLowerCase();
  const lines = ["using RestSharp;", ""];
  if (plan.body.kind === "json") lines.push(`var body = ${rawText(plan.body.value)};`, "");
  lines.push(
    `using var client = new RestClient(${quoted(plan.baseUrl)});`,
    `var request = new RestRequest(${quoted(plan.path)}, Method.${method});`,
    ...plan.headers
      .filter((header) => !isContentType(header))
      .map((header) => `request.AddHeader(${quoted(header.name)}, ${value(header)});`),
  );
  if (plan.body.kind === "json") lines.push("request.AddStringBody(body, DataFormat.Json);");
  if (plan.body.kind === "form")
    for (const field of plan.body.fields)
      lines.push(
        isFile(field)
          ? `request.AddFile(${quoted(field.name)}, ${quoted(field.file)});`
          : `request.AddParameter(${quoted(field.name)}, ${quoted(field.value)});`,
      );
  lines.push("");
  if (plan.binary)
    lines.push(`await File.WriteAllBytesAsync(${quoted(plan.binary)}, await client.DownloadDataAsync(request) ?? []);`);
  else lines.push("var response = await client.ExecuteAsync(request);", "Console.WriteLine(response.Content);");
  return lines.join("\n");
}
