import { execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

import { writeSamples, type SampleRequest } from "@/lib/samples";

// Every character that some language gives a meaning to.
const AWKWARD = 'it\'s "q" $x ${y} #{z} `b` \\ \\n %s 100% \n\t 你好 </script> {} """ \'\'\' |json} ]" )---"';

const CHAT: SampleRequest = {
  method: "POST",
  path: "/v1/chat/completions",
  headers: { Authorization: "Bearer $TOKENGATE_API_KEY", "Content-Type": "application/json" },
  body: { model: "m", messages: [{ role: "user", content: AWKWARD }], temperature: 0.7, top_k: 3, stop: null, n: 1 },
};
const OPTIONS = { base_url: "https://ai.example.com/" };

const of = (request: SampleRequest, language: string, variant: string, key?: string): string => {
  const found = writeSamples(request, { ...OPTIONS, key: key ?? null }).find(
    (sample) => sample.language === language && sample.variant === variant,
  );
  if (!found) throw new Error(`no sample for ${language} ${variant}`);
  return found.code;
};

describe("samples", () => {
  it("are there for every language of the product pages, and more", () => {
    const labels = [...new Set(writeSamples(CHAT, OPTIONS).map((sample) => sample.label))];

    expect(labels).toEqual(
      "Shell JavaScript Java Swift Go PHP Python HTTP C C# Objective-C Ruby OCaml Dart R Rust".split(" "),
    );
  });

  it("read the key from the environment, and never name it otherwise", () => {
    for (const sample of writeSamples(CHAT, OPTIONS)) expect(sample.code).toContain("TOKENGATE_API_KEY");
  });

  it("show a key that the reader gave, and then nothing of the environment", () => {
    for (const sample of writeSamples(CHAT, { ...OPTIONS, key: "sk-mine" })) {
      expect(sample.code).toContain("sk-mine");
      expect(sample.code).not.toContain("TOKENGATE_API_KEY");
    }
  });

  it("take a body as text, as pages have it", () => {
    const asText = { ...CHAT, body: JSON.stringify(CHAT.body) };

    expect(writeSamples(asText, OPTIONS)).toEqual(writeSamples(CHAT, OPTIONS));
  });

  it("join base and path with one slash", () => {
    expect(of(CHAT, "shell", "curl")).toContain("'https://ai.example.com/v1/chat/completions'");
  });

  it("of a GET have no body and no content type", () => {
    const models = { ...CHAT, method: "GET", path: "/v1/models", headers: { Authorization: "Bearer x" }, body: null };

    expect(of(models, "shell", "curl")).not.toMatch(/--data|Content-Type/);
    expect(of(models, "javascript", "fetch")).not.toContain("body:");
    expect(of(models, "python", "openai")).toContain("client.models.list()");
  });

  it("leave out SDKs that have no such call", () => {
    for (const path of ["/api/v1/tasks/1", "/v1beta/models"]) {
      const samples = writeSamples({ ...CHAT, method: "GET", path, body: null }, OPTIONS);

      expect(samples.some((sample) => ["openai", "langchain"].includes(sample.variant))).toBe(false);
    }
  });

  it("pass what the Python SDK does not know through extra_body", () => {
    expect(of(CHAT, "python", "openai")).toMatch(/temperature=0\.7,[\s\S]*extra_body=\{\s*"top_k": 3,/);
  });

  it("print a stream as it comes", () => {
    const stream = { ...CHAT, body: { ...(CHAT.body as object), stream: true } };

    expect(of(stream, "shell", "curl")).toContain("--no-buffer");
    expect(of(stream, "python", "requests")).toContain("stream=True");
    expect(of(stream, "javascript", "openai")).toContain("for await");
  });

  it("wait for an answer that is made in the background, unless it is streamed", () => {
    const body = { model: "m", input: "Hello", background: true };
    const asked = { ...CHAT, path: "/v1/responses", body };
    const streamed = { ...asked, body: { ...body, stream: true } };

    expect(of(asked, "python", "openai")).toMatch(
      /^import os\nimport time\n[\s\S]*background=True,[\s\S]*retrieve\(result.id\)/,
    );
    expect(of(asked, "javascript", "openai")).toMatch(/let result = [\s\S]*retrieve\(result.id\)/);
    for (const [language, variant] of [
      ["python", "openai"],
      ["javascript", "openai"],
    ] as const)
      expect(of(streamed, language, variant)).not.toMatch(/import time|retrieve/);
  });

  it("show text that is no JSON as it is", () => {
    for (const path of ["/metrics", "/llms.txt", "/docs/guide/billing.md"]) {
      const text = { ...CHAT, method: "GET", path, body: null };

      expect(of(text, "python", "requests")).toContain("print(response.text)");
      expect(of(text, "javascript", "axios")).toContain("console.log(response.data);");
    }
  });

  it("write an answer that is a picture to a file", () => {
    const picture = { ...CHAT, method: "GET", path: "/docs/guide/images/portal.png", body: null };

    expect(of(picture, "shell", "curl")).toContain("--output portal.png");
    expect(of(picture, "python", "requests")).toContain('open("portal.png", "wb")');
  });

  it("choose a delimiter that the text does not have", () => {
    const chat = { ...CHAT, body: { text: ["ends )---", '|json}"', "#x", "\\#(x)", "??/"] } };

    expect(of(chat, "r", "httr")).toMatch(/r"----\([^]*\)----"/);
    expect(of(chat, "ocaml", "cohttp")).toMatch(/\{json_\|[^]*\|json_\}/);
    expect(of(chat, "rust", "reqwest")).toMatch(/r##"[^]*"##;/);
    expect(of(chat, "swift", "urlsession")).toMatch(/##"""[^]*"""##/);
    expect(of(chat, "c", "libcurl")).toContain("?\\?/");
  });

  it("say how they were verified, on pages of an operation that was", () => {
    const known = writeSamples(CHAT, { ...OPTIONS, operation: "chat.completions" });
    const unknown = writeSamples(CHAT, { ...OPTIONS, operation: "video.dreams" });

    expect(known.find((sample) => sample.language === "shell")?.verified?.how).toBe("run");
    expect(known.find((sample) => sample.language === "swift")?.verified?.how).toBe("replayed");
    expect(unknown.every((sample) => sample.verified === null)).toBe(true);
  });

  it("send files as a form", () => {
    const upload = {
      ...CHAT,
      path: "/v1/audio/transcriptions",
      headers: { Authorization: "Bearer $TOKENGATE_API_KEY", "Content-Type": "multipart/form-data" },
      body: { file: "@speech.mp3", model: "whisper-1" },
    };

    expect(of(upload, "shell", "curl")).toContain("--form 'file=@speech.mp3'");
    for (const sample of writeSamples(upload, OPTIONS)) {
      expect(sample.code).toContain("speech.mp3");
      expect(sample.code).not.toMatch(/"?Content-Type"?: "?multipart\/form-data"?$/m);
    }
  });
});

describe("what a sample sends is what was asked for", () => {
  const folder = mkdtempSync(join(tmpdir(), "samples-"));

  it("in a shell", () => {
    const script = of(CHAT, "shell", "curl").replace(/^curl/, "show");
    const file = join(folder, "sample.sh");
    writeFileSync(file, `show() { for last; do :; done; printf %s "$last"; }\n${script}`);

    expect(JSON.parse(execFileSync("bash", [file], { encoding: "utf8" }))).toEqual(CHAT.body);
  });

  it("in JavaScript", () => {
    const file = join(folder, "sample.mjs");
    const stub = "globalThis.fetch = async (url, init) => new Response(init.body);\n";
    writeFileSync(file, stub + of(CHAT, "javascript", "fetch"));

    expect(JSON.parse(execFileSync(process.execPath, [file], { encoding: "utf8" }))).toEqual(CHAT.body);
  });

  it("in HTTP, with its length in bytes", () => {
    const text = of(CHAT, "http", "http1.1", "k").trimEnd();
    const [head = "", body = ""] = text.split("\n\n");

    expect(JSON.parse(body)).toEqual(CHAT.body);
    expect(head).toContain(`Content-Length: ${Buffer.byteLength(body)}`);
  });
});
