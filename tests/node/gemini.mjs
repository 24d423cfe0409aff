// One scenario of Google's official JavaScript SDK; prints what came of it as JSON.
//
//   node gemini.mjs SCENARIO     with BASE_URL, API_KEY and MODEL in the environment

import { FunctionCallingConfigMode, GoogleGenAI } from "@google/genai";

const model = process.env.MODEL;
const at = (apiKey) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: process.env.BASE_URL } });
const client = at(process.env.API_KEY);
const tools = [
  {
    functionDeclarations: [
      {
        name: "get_weather",
        description: "Tells the weather.",
        parametersJsonSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
      },
    ],
  },
];

const scenarios = {
  async content() {
    const reply = await client.models.generateContent({
      model,
      contents: "Hello",
      config: { systemInstruction: "Be brief.", stopSequences: ["END"] },
    });
    return { text: reply.text, reason: reply.candidates[0].finishReason, ...reply };
  },

  async stream() {
    const heard = [];
    let last;
    for await (const chunk of await client.models.generateContentStream({ model, contents: "Hello there, friend" })) {
      if (chunk.text) heard.push(chunk.text);
      last = chunk;
    }
    return { heard, reason: last.candidates[0].finishReason, usage: last.usageMetadata };
  },

  async "tool-loop-with-thinking"() {
    const thinkingConfig = { includeThoughts: true };
    const chat = client.chats.create({ model, config: { tools, thinkingConfig } });
    const first = await chat.sendMessage({
      message: 'call get_weather {"city": "Rome"}\ncall get_weather {"city": "Oslo"}',
    });
    const answers = first.functionCalls.map(({ id, name, args }) => ({
      functionResponse: { id, name, response: { result: `sun in ${args.city}` } },
    }));
    const second = await chat.sendMessage({ message: answers });
    return { first: first.candidates[0].content.parts, second: second.text };
  },

  async forced() {
    const toolConfig = { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY } };
    const reply = await client.models.generateContent({ model, contents: "Hello", config: { tools, toolConfig } });
    return reply.functionCalls;
  },

  async picture() {
    const data = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    const contents = ["What is this?", { inlineData: { mimeType: "image/png", data } }];
    return (await client.models.generateContent({ model, contents })).text;
  },

  async schema() {
    const responseJsonSchema = { type: "object", properties: { days: { type: "integer" } }, required: ["days"] };
    const config = { responseMimeType: "application/json", responseJsonSchema };
    return JSON.parse((await client.models.generateContent({ model, contents: "A trip", config })).text);
  },

  async count() {
    return client.models.countTokens({ model, contents: "one two three" });
  },

  async embeddings() {
    const reply = await client.models.embedContent({
      model: "gemini-embedding-001",
      contents: ["a", "b"],
      config: { outputDimensionality: 4, taskType: "CLUSTERING" },
    });
    return reply.embeddings.map(({ values }) => values);
  },

  async models() {
    const names = [];
    for await (const one of await client.models.list({ config: { pageSize: 3 } })) names.push(one.name);
    return { names, one: await client.models.get({ model }) };
  },

  async errors() {
    const ask = (more) => client.models.generateContent({ model, contents: "Hello", ...more });
    const stranger = at("AIzaWrongKey0123456789abcdefghijklmno");
    return Promise.all([
      caught(stranger.models.generateContent({ model, contents: "Hello" })),
      caught(ask({ model: "no-such-model" })),
      caught(ask({ config: { temperature: 5 } })),
      caught(client.models.generateContentStream({ model: "no-such-model", contents: "Hello" })),
    ]);
  },
};

async function caught(promise) {
  try {
    await promise;
  } catch (error) {
    return { name: error.name, status: error.status, message: error.message };
  }
  throw new Error("nothing was thrown");
}

console.log(JSON.stringify(await scenarios[process.argv[2]]()));
