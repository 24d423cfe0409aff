/** OpenAI's SDKs and LangChain, for the operations that they have. */
import { isObject, KEY_VARIABLE, pretty, type Json, type Plan } from "./request";
import { pythonLiteral } from "./python";
import { indent, quoted } from "./text";

interface Operation {
  /** The end of the path, and how both SDKs name the call. */
  path: string;
  python: string;
  node: string;
  show: { python: string; node: string };
  /** What the Python SDK takes by name; everything else goes into `extra_body`. */
  known: readonly string[];
}

const CHAT_KNOWN =
  "model messages stream stream_options temperature top_p n max_tokens max_completion_tokens stop presence_penalty frequency_penalty logit_bias user seed tools tool_choice parallel_tool_calls response_format logprobs top_logprobs reasoning_effort verbosity modalities audio metadata service_tier store web_search_options prediction".split(
    " ",
  );

const OPERATIONS: readonly Operation[] = [
  {
    path: "/chat/completions",
    python: "client.chat.completions.create",
    node: "client.chat.completions.create",
    show: {
      python: "print(result.choices[0].message.content)",
      node: "console.log(result.choices[0].message.content);",
    },
    known: CHAT_KNOWN,
  },
  {
    path: "/completions",
    python: "client.completions.create",
    node: "client.completions.create",
    show: { python: "print(result.choices[0].text)", node: "console.log(result.choices[0].text);" },
    known: [...CHAT_KNOWN, "prompt", "suffix", "echo", "best_of"],
  },
  {
    path: "/embeddings",
    python: "client.embeddings.create",
    node: "client.embeddings.create",
    show: { python: "print(result.data[0].embedding[:8])", node: "console.log(result.data[0].embedding.slice(0, 8));" },
    known: ["model", "input", "dimensions", "encoding_format", "user"],
  },
  {
    path: "/responses",
    python: "client.responses.create",
    node: "client.responses.create",
    show: { python: "print(result.output_text)", node: "console.log(result.output_text);" },
    known:
      "model input instructions stream temperature top_p max_output_tokens tools tool_choice reasoning text store background previous_response_id metadata parallel_tool_calls include".split(
        " ",
      ),
  },
  {
    path: "/images/generations",
    python: "client.images.generate",
    node: "client.images.generate",
    show: {
      python: "print(result.data[0].url or result.data[0].b64_json)",
      node: "console.log(result.data[0].url ?? result.data[0].b64_json);",
    },
    known:
      "model prompt n size quality response_format style background moderation output_compression output_format user".split(
        " ",
      ),
  },
  {
    path: "/models",
    python: "client.models.list",
    node: "client.models.list",
    show: {
      python: "for model in result:\n    print(model.id)",
      node: "for (const model of result.data) console.log(model.id);",
    },
    known: [],
  },
];

const operationOf = (plan: Plan): Operation | undefined =>
  plan.body.kind === "form" || /^\/(api\/v1|v1beta)\/|\?/.test(plan.path)
    ? undefined
    : OPERATIONS.find(
        (one) =>
          plan.path.endsWith(one.path) && !(one.path === "/completions" && plan.path.endsWith("/chat/completions")),
      );

const argumentsOf = (plan: Plan): { [name: string]: Json } =>
  plan.body.kind === "json" && isObject(plan.body.value) ? plan.body.value : {};

const baseOf = (plan: Plan, operation: Operation): string => plan.url.slice(0, -operation.path.length);

const pythonKey = (plan: Plan): string => (plan.key === null ? `os.environ["${KEY_VARIABLE}"]` : quoted(plan.key));
const nodeKey = (plan: Plan): string => (plan.key === null ? `process.env.${KEY_VARIABLE}` : quoted(plan.key));

/** Whether the answer is there at once, and is asked for again until it has ended. */
const inBackground = (plan: Plan): boolean => !plan.stream && argumentsOf(plan)["background"] === true;

function named(given: { [name: string]: Json }, known: readonly string[], pad: string): string[] {
  const entries = Object.entries(given);
  const lines = entries
    .filter(([name]) => known.includes(name))
    .map(([name, value]) => `${pad}${name}=${pythonLiteral(value, pad)},`);
  const rest = Object.fromEntries(entries.filter(([name]) => !known.includes(name)));
  if (Object.keys(rest).length > 0) lines.push(`${pad}extra_body=${pythonLiteral(rest, pad)},`);
  return lines;
}

export function openaiPython(plan: Plan): string | null {
  const operation = operationOf(plan);
  if (!operation) return null;
  const lines = named(argumentsOf(plan), operation.known, "    ");
  const call = lines.length > 0 ? `${operation.python}(\n${lines.join("\n")}\n)` : `${operation.python}()`;
  const chat = operation.path === "/chat/completions";
  const tail = plan.stream
    ? [
        `stream = ${call}`,
        "for chunk in stream:",
        ...(chat
          ? ["    if chunk.choices:", '        print(chunk.choices[0].delta.content or "", end="", flush=True)']
          : ["    print(chunk.to_json(indent=None))"]),
      ]
    : [
        `result = ${call}`,
        ...(inBackground(plan)
          ? [
              'while result.status in ("queued", "in_progress"):',
              "    time.sleep(1)",
              "    result = client.responses.retrieve(result.id)",
            ]
          : []),
        operation.show.python,
      ];
  const imports = [plan.key === null && "import os", inBackground(plan) && "import time"].filter(
    (one) => one !== false,
  );
  return [
    ...(imports.length > 0 ? [...imports, ""] : []),
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url=${quoted(baseOf(plan, operation))}, api_key=${pythonKey(plan)})`,
    "",
    ...tail,
  ].join("\n");
}

export function openaiNode(plan: Plan): string | null {
  const operation = operationOf(plan);
  if (!operation) return null;
  const given = argumentsOf(plan);
  const call = `${operation.node}(${Object.keys(given).length > 0 ? pretty(given) : ""})`;
  const chat = operation.path === "/chat/completions";
  const tail = plan.stream
    ? [
        `const stream = await ${call};`,
        chat
          ? 'for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta?.content ?? "");'
          : "for await (const chunk of stream) console.log(JSON.stringify(chunk));",
      ]
    : inBackground(plan)
      ? [
          `let result = await ${call};`,
          'while (result.status === "queued" || result.status === "in_progress") {',
          "  await new Promise((resolve) => setTimeout(resolve, 1000));",
          "  result = await client.responses.retrieve(result.id);",
          "}",
          operation.show.node,
        ]
      : [`const result = await ${call};`, operation.show.node];
  return [
    'import OpenAI from "openai";',
    "",
    "const client = new OpenAI({",
    `  baseURL: ${quoted(baseOf(plan, operation))},`,
    `  apiKey: ${nodeKey(plan)},`,
    "});",
    "",
    ...tail,
  ].join("\n");
}

const LANGCHAIN_KNOWN =
  "model temperature max_tokens top_p n stop presence_penalty frequency_penalty seed logprobs top_logprobs".split(" ");

export function langchain(plan: Plan): string | null {
  const operation = operationOf(plan);
  const given = argumentsOf(plan);
  const imports = plan.key === null ? ["import os", ""] : [];
  if (operation?.path === "/chat/completions" && Array.isArray(given["messages"])) {
    const { messages, ...settings } = given;
    const own = Object.fromEntries(
      Object.entries(settings).filter(([name]) => name !== "stream" && name !== "stream_options"),
    );
    const lines = [
      `    base_url=${quoted(baseOf(plan, operation))},`,
      `    api_key=${pythonKey(plan)},`,
      ...named(own, LANGCHAIN_KNOWN, "    "),
    ];
    const call = `messages = ${pythonLiteral(messages)}`;
    const tail = plan.stream
      ? ["for chunk in model.stream(messages):", '    print(chunk.text, end="", flush=True)']
      : ["print(model.invoke(messages).text)"];
    return [
      ...imports,
      "from langchain_openai import ChatOpenAI",
      "",
      "model = ChatOpenAI(",
      ...lines,
      ")",
      call,
      ...tail,
    ].join("\n");
  }
  if (operation?.path === "/embeddings" && given["input"] !== undefined) {
    const texts = Array.isArray(given["input"]) ? given["input"] : [given["input"]];
    return [
      ...imports,
      "from langchain_openai import OpenAIEmbeddings",
      "",
      "embeddings = OpenAIEmbeddings(",
      `    base_url=${quoted(baseOf(plan, operation))},`,
      `    api_key=${pythonKey(plan)},`,
      `    model=${pythonLiteral(given["model"] ?? null)},`,
      ...(typeof given["dimensions"] === "number" ? [`    dimensions=${given["dimensions"]},`] : []),
      "    check_embedding_ctx_length=False,",
      ")",
      `vectors = embeddings.embed_documents(${indent(pythonLiteral(texts), "")})`,
      "print(vectors[0][:8])",
    ].join("\n");
  }
  return null;
}
