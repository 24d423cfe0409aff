/** Swift and Objective-C, with Foundation's URL session. */
import { isFile, KEY_VARIABLE, pretty, type Field, type Header, type Plan } from "./request";
import { fenceFor, quoted } from "./text";

const swiftValue = ({ text, secret }: Header): string =>
  secret ? `"${quoted(text).slice(1, -1)}\\(ProcessInfo.processInfo.environment["${KEY_VARIABLE}"]!)"` : quoted(text);

const swiftField = (field: Field): string =>
  isFile(field)
    ? `form.append(Data("--\\(boundary)\\r\\nContent-Disposition: form-data; name=\\"${field.name}\\"; filename=\\"${field.file}\\"\\r\\nContent-Type: application/octet-stream\\r\\n\\r\\n".utf8))\nform.append(try Data(contentsOf: URL(fileURLWithPath: ${quoted(field.file)})))\nform.append(Data("\\r\\n".utf8))`
    : `form.append(Data("--\\(boundary)\\r\\nContent-Disposition: form-data; name=\\"${field.name}\\"\\r\\n\\r\\n${quoted(field.value).slice(1, -1)}\\r\\n".utf8))`;

export function swift(plan: Plan): string {
  const lines = [
    "import Foundation",
    "#if canImport(FoundationNetworking)",
    "import FoundationNetworking",
    "#endif",
    "",
    `var request = URLRequest(url: URL(string: ${quoted(plan.url)})!, timeoutInterval: 300)`,
    `request.httpMethod = ${quoted(plan.method)}`,
    ...plan.headers.map(
      (header) => `request.setValue(${swiftValue(header)}, forHTTPHeaderField: ${quoted(header.name)})`,
    ),
  ];
  if (plan.body.kind === "json") {
    const text = pretty(plan.body.value);
    const fence = fenceFor(text, "#", "#", (marks) => `\\${marks}`); // JSON has no three quotes in a row
    lines.push(`request.httpBody = Data(${fence}"""`, text, `"""${fence}.utf8)`);
  }
  if (plan.body.kind === "form")
    lines.push(
      "",
      "let boundary = UUID().uuidString",
      "var form = Data()",
      ...plan.body.fields.map(swiftField),
      'form.append(Data("--\\(boundary)--\\r\\n".utf8))',
      'request.setValue("multipart/form-data; boundary=\\(boundary)", forHTTPHeaderField: "Content-Type")',
      "request.httpBody = form",
    );
  lines.push("", "let (data, _) = try await URLSession.shared.data(for: request)");
  lines.push(
    plan.binary
      ? `try data.write(to: URL(fileURLWithPath: ${quoted(plan.binary)}))`
      : "print(String(decoding: data, as: UTF8.self))",
  );
  return lines.join("\n");
}

const at = (text: string): string => `@${quoted(text)}`;

const objcValue = ({ text, secret }: Header): string =>
  secret
    ? `[NSString stringWithFormat:${at(`${text}%@`)}, NSProcessInfo.processInfo.environment[@"${KEY_VARIABLE}"]]`
    : at(text);

/** The text in lines, which the compiler joins. */
const objcText = (text: string): string =>
  text
    .split("\n")
    .map((line, index, every) => at(index < every.length - 1 ? `${line}\n` : line))
    .join("\n            ");

export function objectiveC(plan: Plan): string {
  const lines = [
    `NSMutableURLRequest *request = [NSMutableURLRequest requestWithURL:[NSURL URLWithString:${at(plan.url)}]];`,
    `request.HTTPMethod = ${at(plan.method)};`,
    "request.timeoutInterval = 300;",
    ...plan.headers.map((header) => `[request setValue:${objcValue(header)} forHTTPHeaderField:${at(header.name)}];`),
  ];
  if (plan.body.kind === "json")
    lines.push(
      `NSString *body =\n            ${objcText(pretty(plan.body.value))};`,
      "request.HTTPBody = [body dataUsingEncoding:NSUTF8StringEncoding];",
    );
  if (plan.body.kind === "form") {
    lines.push("", "NSString *boundary = NSUUID.UUID.UUIDString;", "NSMutableData *form = [NSMutableData data];");
    const append = (format: string, more = ""): string =>
      `[form appendData:[[NSString stringWithFormat:${at(format)}, boundary${more}] dataUsingEncoding:NSUTF8StringEncoding]];`;
    for (const field of plan.body.fields)
      if (isFile(field))
        lines.push(
          append(
            `--%@\r\nContent-Disposition: form-data; name="${field.name}"; filename="${field.file}"\r\nContent-Type: application/octet-stream\r\n\r\n`,
          ),
          `[form appendData:[NSData dataWithContentsOfFile:${at(field.file)}]];`,
          '[form appendData:[@"\\r\\n" dataUsingEncoding:NSUTF8StringEncoding]];',
        );
      else
        lines.push(
          append(`--%@\r\nContent-Disposition: form-data; name="${field.name}"\r\n\r\n%@\r\n`, `, ${at(field.value)}`),
        );
    lines.push(
      append("--%@--\r\n"),
      '[request setValue:[@"multipart/form-data; boundary=" stringByAppendingString:boundary] forHTTPHeaderField:@"Content-Type"];',
      "request.HTTPBody = form;",
    );
  }
  lines.push(
    "",
    "dispatch_semaphore_t done = dispatch_semaphore_create(0);",
    "[[NSURLSession.sharedSession dataTaskWithRequest:request",
    "        completionHandler:^(NSData *data, NSURLResponse *response, NSError *error) {",
    '    if (error) NSLog(@"%@", error);',
    plan.binary
      ? `    else [data writeToFile:${at(plan.binary)} atomically:YES];`
      : '    else printf("%s\\n", [[NSString alloc] initWithData:data encoding:NSUTF8StringEncoding].UTF8String);',
    "    dispatch_semaphore_signal(done);",
    "}] resume];",
    "dispatch_semaphore_wait(done, DISPATCH_TIME_FOREVER);",
  );
  return [
    "#import <Foundation/Foundation.h>",
    "",
    "int main(void) {",
    "    @autoreleasepool {",
    ...lines.map((line) => (line ? `        ${line}` : "")),
    "    }",
    "    return 0;",
    "}",
  ].join("\n");
}
