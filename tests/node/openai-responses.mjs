// One scenario of OpenAI's official JavaScript SDK for the Responses API; prints what came of it as JSON.
//
//   node openai-responses.mjs SCENARIO     with BASE_URL, API_KEY and MODEL in the environment

import OpenAI from "openai";

const model = process.env.MODEL;
const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0 });
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const tools = [{ type: "function", name: "get_weather", parameters, strict: true }];
const twoPlaces = 'get_weather({"city": "Rome"}) and get_weather({"city": "北京"})';

const scenarios = {
  async whole() {
    const response = await client.responses.create({ model, input: "Grüße, 世界 🙂!", instructions: "Be brief." });
    return { text: response.output_text, status: response.status, tokens: response.usage.total_tokens };
  },

  async stream() {
    const stream = client.responses.stream({ model, input: "Hello there" });
    const numbers = [];
    let heard = "";
    for await (const event of stream) {
      numbers.push(event.sequence_number);
      if (event.type === "response.output_text.delta") heard += event.delta;
    }
    const last = await stream.finalResponse();
    return { heard, text: last.output_text, ordered: numbers.every((number, at) => number === at) };
  },

  async "tool-loop"() {
    let response = await client.responses.create({ model, input: twoPlaces, tools });
    const places = [];
    const input = response.output.map((call) => {
      places.push(JSON.parse(call.arguments).city);
      return { type: "function_call_output", call_id: call.call_id, output: `sun in ${places.at(-1)}` };
    });
    response = await client.responses.create({ model, input, tools, previous_response_id: response.id });
    return { text: response.output_text, places };
  },

  async stored() {
    const made = await client.responses.create({ model, input: "One" });
    const found = await client.responses.retrieve(made.id);
    const items = [];
    for await (const item of client.responses.inputItems.list(made.id)) items.push(item.content[0].text);
    await client.responses.delete(made.id);
    const gone = await client.responses.retrieve(made.id).catch((error) => error.status);
    return { text: found.output_text, items, gone };
  },

  async parsed() {
    const format = { type: "json_schema", name: "trip", schema: parameters, strict: true };
    const response = await client.responses.parse({ model, input: "To 'Rome'", text: { format } });
    return response.output_parsed ?? JSON.parse(response.output_text);
  },

  async broken() {
    let last;
    const asked = { model, input: "LATER rate_limit_exceeded", stream: true };
    for await (const event of await client.responses.create(asked)) last = event;
    return { type: last.type, code: last.response.error.code };
  },
};

console.log(JSON.stringify(await scenarios[process.argv[2]]()));
