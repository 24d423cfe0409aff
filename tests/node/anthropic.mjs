// One scenario of Anthropic's official JavaScript SDK; prints what came of it as JSON.
//
//   node anthropic.mjs SCENARIO     with BASE_URL, API_KEY and MODEL in the environment

import Anthropic from "@anthropic-ai/sdk";

const model = process.env.MODEL;
const max_tokens = 4000;
const client = new Anthropic({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0 });
const user = (content) => [{ role: "user", content }];
const tools = [
  {
    name: "get_weather",
    input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
];

const scenarios = {
  async message() {
    const { data, request_id } = await client.messages
      .create({ model, max_tokens, messages: user("Hello"), system: "Be brief.", stop_sequences: ["END"] })
      .withResponse();
    return { ...data, requestId: request_id };
  },

  async stream() {
    const heard = [];
    const stream = client.messages.stream({ model, max_tokens, messages: user("Hello there, how are you?") });
    stream.on("text", (text) => heard.push(text));
    const message = await stream.finalMessage();
    return { heard, message };
  },

  async "tool-loop-with-thinking"() {
    const asked = { model, max_tokens, tools, thinking: { type: "enabled", budget_tokens: 1024 } };
    const question = user('get_weather({"city": "Rome"}) and get_weather({"city": "Paris"})');
    const first = await client.messages.stream({ ...asked, messages: question }).finalMessage();
    const results = first.content
      .filter((block) => block.type === "tool_use")
      .map((call) => ({ type: "tool_result", tool_use_id: call.id, content: `sun in ${call.input.city}` }));
    const messages = [...question, { role: "assistant", content: first.content }, ...user(results)];
    const second = await client.messages.create({ ...asked, messages });
    return { first: first.content, second: second.content };
  },

  async count() {
    return client.messages.countTokens({ model, messages: user("Hello"), tools });
  },

  async models() {
    const ids = [];
    for await (const one of client.models.list()) ids.push(one.id);
    return ids;
  },

  async errors() {
    const stranger = new Anthropic({ baseURL: process.env.BASE_URL, apiKey: "sk-wrong" });
    const ask = (text, more) => client.messages.create({ model, max_tokens, messages: user(text), ...more });
    return Promise.all([
      caught(stranger.messages.create({ model, max_tokens, messages: user("Hello") })),
      caught(ask("Hello", { model: "no-such-model" })),
      caught(ask("Hello", { max_tokens: -1 })),
      caught(ask("ERROR 429")),
    ]);
  },

  async "error-in-stream"() {
    const heard = [];
    const stream = client.messages.stream({ model, max_tokens, messages: user("BREAK overloaded_error, please") });
    stream.on("text", (text) => heard.push(text));
    return { error: await caught(stream.finalMessage()), heard };
  },
};

async function caught(promise) {
  try {
    await promise;
  } catch (error) {
    const { status, type, requestID, message } = error;
    return { name: error.constructor.name, status, type, requestId: requestID, message };
  }
  throw new Error("nothing was thrown");
}

console.log(JSON.stringify(await scenarios[process.argv[2]]()));
