// One scenario of OpenAI's official JavaScript SDK for chat completions; prints what came of it as JSON.
//
//   node openai-chat.mjs SCENARIO     with BASE_URL, API_KEY and MODEL in the environment

import OpenAI from "openai";

const model = process.env.MODEL;
const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0 });
const user = (content) => [{ role: "user", content }];
const city = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const weather = { name: "get_weather", description: "The weather.", parameters: city };
const twoPlaces = 'get_weather({"city": "Rome"}) and get_weather({"city": "北京"})';

const scenarios = {
  async several() {
    const asked = { model, messages: user("Hello"), n: 2, logprobs: true, top_logprobs: 1 };
    const whole = await client.chat.completions.create(asked);
    const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
    return [whole, streamed].map((reply) =>
      reply.choices.map((choice) => [
        choice.message.content,
        choice.logprobs.content.map((token) => token.token).join(""),
        choice.finish_reason,
      ]),
    );
  },

  async "run-tools"() {
    const places = [];
    const runner = client.chat.completions.runTools({
      model,
      stream: true,
      messages: user(twoPlaces),
      tools: [
        {
          type: "function",
          function: {
            ...weather,
            parse: JSON.parse,
            function: ({ city }) => {
              places.push(city);
              return `sun in ${city}`;
            },
          },
        },
      ],
    });
    return { text: await runner.finalContent(), places };
  },

  async "custom-tool"() {
    const tools = [{ type: "custom", custom: { name: "code_exec", format: { type: "text" } } }];
    const reply = await client.chat.completions.create({ model, messages: user("code_exec<print(1)>"), tools });
    return reply.choices[0].message.tool_calls[0].custom;
  },

  async parsed() {
    const schema = { ...city, properties: { ...city.properties } };
    const response_format = { type: "json_schema", json_schema: { name: "trip", strict: true, schema } };
    const reply = await client.chat.completions.create({ model, messages: user("To 'Rome'"), response_format });
    return JSON.parse(reply.choices[0].message.content);
  },

  async usage() {
    const stream_options = { include_usage: true };
    const chunks = [];
    const asked = { model, messages: user("Hello"), stream: true, stream_options };
    for await (const chunk of await client.chat.completions.create(asked)) chunks.push(chunk);
    return { last: chunks.at(-1), before: chunks.slice(0, -1).map((chunk) => chunk.usage) };
  },

  async broken() {
    const heard = [];
    try {
      const stream = await client.chat.completions.create({ model, messages: user("BREAK please"), stream: true });
      for await (const chunk of stream) heard.push(chunk.choices[0].delta.content ?? "");
    } catch (error) {
      return { heard: heard.join(""), name: error.constructor.name, message: error.message };
    }
  },
};

console.log(JSON.stringify(await scenarios[process.argv[2]]()));
