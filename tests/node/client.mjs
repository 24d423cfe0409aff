// One scenario of the official JavaScript SDK against a gateway; prints what came of it as JSON.
//
//   node client.mjs SCENARIO     with BASE_URL, API_KEY and MODEL in the environment

import OpenAI from "openai";

const model = process.env.MODEL;
const messages = [{ role: "user", content: "hello" }];
const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0 });

const scenarios = {
  async chat() {
    const { data, response, request_id } = await client.chat.completions
      .create({ model, messages, temperature: 0.3, top_k: 20 })
      .withResponse();
    return {
      content: data.choices[0].message.content,
      usage: data.usage,
      requestId: request_id,
      cost: response.headers.get("x-request-cost"),
      balance: response.headers.get("x-account-balance"),
    };
  },

  async stream() {
    const chunks = [];
    for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
      chunks.push(chunk);
    }
    return chunks;
  },

  async "stream-with-usage"() {
    const chunks = [];
    const stream_options = { include_usage: true };
    for await (const chunk of await client.chat.completions.create({ model, messages, stream: true, stream_options })) {
      chunks.push(chunk);
    }
    return chunks;
  },

  async "streamed-tool-call"() {
    const parameters = { type: "object", properties: { city: { type: "string" } } };
    const tools = [{ type: "function", function: { name: "get_weather", parameters } }];
    const reply = await client.chat.completions.stream({ model, messages, tools }).finalChatCompletion();
    return reply.choices[0].message.tool_calls;
  },

  async embeddings() {
    const input = ["a cat", "a tax return"];
    const packed = await client.embeddings.create({ model, input }); // the SDK asks for base64
    const plain = await client.embeddings.create({ model, input, encoding_format: "float" });
    return { packed: packed.data, plain: plain.data, usage: packed.usage };
  },

  async models() {
    const ids = [];
    for await (const one of client.models.list()) ids.push(one.id);
    return { ids, one: await client.models.retrieve(model) };
  },

  async errors() {
    const stranger = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: "sk-wrong" });
    return Promise.all([
      caught(stranger.chat.completions.create({ model, messages })),
      caught(client.chat.completions.create({ model: "no-such-model", messages })),
      caught(client.chat.completions.create({ model, messages, temperature: 3 })),
      caught(client.models.retrieve("no-such-model")),
    ]);
  },

  async "thousand-tokens"() {
    return caught(client.chat.completions.create({ model, messages, max_tokens: 1000 }));
  },

  async "one-error"() {
    return caught(client.chat.completions.create({ model, messages }));
  },

  async retry() {
    const started = performance.now();
    const reply = await client.chat.completions.create({ model, messages }, { maxRetries: 2 });
    return { content: reply.choices[0].message.content, ms: performance.now() - started };
  },

  async timeout() {
    return caught(client.chat.completions.create({ model, messages }, { timeout: 300 }));
  },

  async abort() {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    for await (const chunk of stream) {
      stream.controller.abort();
      return chunk.choices[0].delta.content;
    }
  },

  async "error-in-stream"() {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    const heard = [];
    const reading = (async () => {
      for await (const chunk of stream) heard.push(chunk.choices[0].delta.content);
    })();
    return { error: await caught(reading), heard };
  },

  async "twice-with-one-idempotency-key"() {
    const ask = () =>
      client.chat.completions.create({ model, messages }, { headers: { "Idempotency-Key": "order-1" } }).withResponse();
    const replies = [await ask(), await ask()];
    return replies.map(({ data, response }) => ({
      content: data.choices[0].message.content,
      replayed: response.headers.get("idempotent-replayed"),
    }));
  },
};

async function caught(promise) {
  try {
    await promise;
  } catch (error) {
    const { status, code, param, type, message } = error;
    return { name: error.constructor.name, status, code, param, type, message };
  }
  throw new Error("nothing was thrown");
}

console.log(JSON.stringify(await scenarios[process.argv[2]]()));
