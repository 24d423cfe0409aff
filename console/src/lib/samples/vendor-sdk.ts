/** The SDKs of Anthropic, Google and DashScope, each for the calls of its own format. */
import { pythonLiteral } from "./python";
import { isObject, KEY_VARIABLE, pretty, type Json, type Plan } from "./request";
import { quoted } from "./text";

type Members = { [name: string]: Json };

const bodyOf = (plan: Plan): Members => (plan.body.kind === "json" && isObject(plan.body.value) ? plan.body.value : {});

const pythonKey = (plan: Plan): string => (plan.key === null ? `os.environ["${KEY_VARIABLE}"]` : quoted(plan.key));
const nodeKey = (plan: Plan): string => (plan.key === null ? `process.env.${KEY_VARIABLE}` : quoted(plan.key));
const importOs = (plan: Plan): string[] => (plan.key === null ? ["import os", ""] : []);

const keywords = (given: Members): string =>
  Object.entries(given)
    .map(([name, value]) => `    ${name}=${pythonLiteral(value, "    ")},\n`)
    .join("");

/** A JavaScript object two spaces deep in what is around it. */
const nested = (value: Json): string => pretty(value).replaceAll("\n", "\n  ");

// Anthropic

const isMessages = (plan: Plan): boolean => plan.method === "POST" && plan.path === "/v1/messages";

function withoutStream(given: Members): Members {
  const { stream: _stream, ...rest } = given;
  return rest;
}

export function anthropicPython(plan: Plan): string | null {
  if (!isMessages(plan)) return null;
  const given = keywords(withoutStream(bodyOf(plan)));
  const tail = plan.stream
    ? [
        `with client.messages.stream(\n${given}) as stream:`,
        "    for text in stream.text_stream:",
        '        print(text, end="", flush=True)',
      ]
    : [
        `message = client.messages.create(\n${given})`,
        'print("".join(block.text for block in message.content if block.type == "text"))',
      ];
  return [
    ...importOs(plan),
    "from anthropic import Anthropic",
    "",
    `client = Anthropic(base_url=${quoted(plan.baseUrl)}, api_key=${pythonKey(plan)})`,
    "",
    ...tail,
  ].join("\n");
}

export function anthropicNode(plan: Plan): string | null {
  if (!isMessages(plan)) return null;
  const given = pretty(withoutStream(bodyOf(plan)));
  const tail = plan.stream
    ? [
        `const stream = client.messages.stream(${given});`,
        'stream.on("text", (text) => process.stdout.write(text));',
        "await stream.finalMessage();",
      ]
    : [
        `const message = await client.messages.create(${given});`,
        'console.log(message.content.map((block) => (block.type === "text" ? block.text : "")).join(""));',
      ];
  return [
    'import Anthropic from "@anthropic-ai/sdk";',
    "",
    "const client = new Anthropic({",
    `  baseURL: ${quoted(plan.baseUrl)},`,
    `  apiKey: ${nodeKey(plan)},`,
    "});",
    "",
    ...tail,
  ].join("\n");
}

// Google

interface Generate {
  model: string;
  stream: boolean;
  contents: Json;
  config: Members;
}

/** The SDK takes what stands beside the contents, and what is in generationConfig, as one `config`. */
function generateOf(plan: Plan): Generate | null {
  const path = /^\/v1(?:beta)?\/models\/(.+):(generateContent|streamGenerateContent)(?:\?|$)/.exec(plan.path);
  const { contents, generationConfig, ...rest } = bodyOf(plan);
  const modalities = isObject(generationConfig ?? null) ? (generationConfig as Members)["responseModalities"] : null;
  if (!path?.[1] || contents === undefined || modalities) return null; // a picture is not printed
  return {
    model: decodeURIComponent(path[1]),
    stream: path[2] === "streamGenerateContent",
    contents,
    config: { ...(isObject(generationConfig ?? null) ? (generationConfig as Members) : {}), ...rest },
  };
}

export function googlePython(plan: Plan): string | null {
  const call = generateOf(plan);
  if (!call) return null;
  const config: Members = Object.keys(call.config).length > 0 ? { config: call.config } : {};
  const given = keywords({ model: call.model, contents: call.contents, ...config });
  const tail = call.stream
    ? [
        `for chunk in client.models.generate_content_stream(\n${given}):`,
        '    print(chunk.text or "", end="", flush=True)',
      ]
    : [`response = client.models.generate_content(\n${given})`, "print(response.text)"];
  return [
    ...importOs(plan),
    "from google import genai",
    "",
    "client = genai.Client(",
    `    api_key=${pythonKey(plan)},`,
    `    http_options={"base_url": ${quoted(plan.baseUrl)}},`,
    ")",
    "",
    ...tail,
  ].join("\n");
}

export function googleNode(plan: Plan): string | null {
  const call = generateOf(plan);
  if (!call) return null;
  const config: Members = Object.keys(call.config).length > 0 ? { config: call.config } : {};
  const given = pretty({ model: call.model, contents: call.contents, ...config });
  const tail = call.stream
    ? [
        `const stream = await client.models.generateContentStream(${given});`,
        'for await (const chunk of stream) process.stdout.write(chunk.text ?? "");',
      ]
    : [`const response = await client.models.generateContent(${given});`, "console.log(response.text);"];
  return [
    'import { GoogleGenAI } from "@google/genai";',
    "",
    "const client = new GoogleGenAI({",
    `  apiKey: ${nodeKey(plan)},`,
    `  httpOptions: ${nested({ baseUrl: plan.baseUrl })},`,
    "});",
    "",
    ...tail,
  ].join("\n");
}

// DashScope

const DASHSCOPE = "/api/v1/services/aigc/";

export function dashscopePython(plan: Plan): string | null {
  if (!plan.path.startsWith(DASHSCOPE)) return null;
  const service = plan.path.slice(DASHSCOPE.length);
  const { model, input, parameters } = bodyOf(plan);
  const messages = isObject(input ?? null) ? (input as Members)["messages"] : undefined;
  const own = isObject(parameters ?? null) ? (parameters as Members) : {};
  if (model === undefined || messages === undefined) return null;
  const multimodal = service === "multimodal-generation/generation";
  if (!multimodal && !(service === "text-generation/generation" && own["result_format"] === "message")) return null;
  const content = "response.output.choices[0].message.content";
  return [
    ...importOs(plan),
    "import dashscope",
    "",
    `dashscope.base_http_api_url = ${quoted(`${plan.baseUrl}/api/v1`)}`,
    `dashscope.api_key = ${pythonKey(plan)}`,
    "",
    `response = dashscope.${multimodal ? "MultiModalConversation" : "Generation"}.call(\n${keywords({ model, messages, ...own })})`,
    multimodal ? `print("".join(part.get("text", "") for part in ${content}))` : `print(${content})`,
  ].join("\n");
}
