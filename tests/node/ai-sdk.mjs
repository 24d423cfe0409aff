// One scenario of the AI SDK with its provider for OpenAI-compatible servers; prints what came of it as JSON.
//
//   node ai-sdk.mjs SCENARIO     with BASE_URL, API_KEY and MODEL in the environment

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateObject, generateText, jsonSchema, stepCountIs, streamText, tool } from "ai";

const provider = createOpenAICompatible({
  name: "tokengate",
  baseURL: process.env.BASE_URL,
  apiKey: process.env.API_KEY,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const model = provider(process.env.MODEL);
const object = (properties) =>
  jsonSchema({ type: "object", properties, required: Object.keys(properties), additionalProperties: false });
const tools = {
  get_weather: tool({
    description: "The weather.",
    inputSchema: object({ city: { type: "string" } }),
    execute: async ({ city }) => `sun in ${city}`,
  }),
};
const twoPlaces = 'get_weather({"city": "Rome"}) and get_weather({"city": "北京"})';
const asked = { model, maxRetries: 0 };

const told = (steps) =>
  steps.map((step) => ({
    text: step.text,
    reasoning: step.reasoningText ?? "",
    calls: step.toolCalls.map((call) => [call.toolName, call.input]),
    finish: step.finishReason,
    usage: step.usage,
  }));

const scenarios = {
  async text() {
    return told((await generateText({ ...asked, system: "Be brief.", prompt: "Grüße, 世界 🙂!" })).steps);
  },

  async stream() {
    const result = streamText({ ...asked, prompt: "Hello there" });
    const heard = [];
    for await (const piece of result.textStream) heard.push(piece);
    return { heard, steps: told(await result.steps) };
  },

  async tools() {
    return told((await generateText({ ...asked, tools, stopWhen: stepCountIs(3), prompt: twoPlaces })).steps);
  },

  async "streamed-tools"() {
    const result = streamText({ ...asked, tools, stopWhen: stepCountIs(3), prompt: twoPlaces });
    await result.consumeStream();
    return told(await result.steps);
  },

  async object() {
    const schema = object({ city: { type: "string" }, days: { type: "integer" } });
    return (await generateObject({ ...asked, schema, prompt: "To 'Rome'" })).object;
  },

  async picture() {
    const png =
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    const content = [
      { type: "text", text: "What is this?" },
      { type: "image", image: png, mediaType: "image/png" },
    ];
    return (await generateText({ ...asked, messages: [{ role: "user", content }] })).text;
  },

  async error() {
    try {
      await generateText({ ...asked, prompt: "ERROR 429" });
    } catch (error) {
      return { status: error.statusCode, message: error.message, retryable: error.isRetryable };
    }
  },

  async "broken-stream"() {
    const result = streamText({ ...asked, prompt: "BREAK please", onError: () => {} });
    const parts = [];
    for await (const part of result.fullStream) parts.push(part);
    const failure = parts.find((part) => part.type === "error");
    return {
      heard: parts.filter((part) => part.type === "text-delta").map((part) => part.text),
      message: failure && (failure.error.message ?? String(failure.error)),
    };
  },
};

console.log(JSON.stringify(await scenarios[process.argv[2]]()));
