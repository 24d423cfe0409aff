// Speech by OpenAI's official JavaScript SDK, whole and streamed; prints the sizes and the sound as JSON.
//
//   node openai-speech.mjs SCENARIO     with BASE_URL, API_KEY and MODEL in the environment

import OpenAI from "openai";

const model = process.env.MODEL;
const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0 });
const asked = { model, input: "Hello there", voice: "alloy", response_format: "wav" };

const scenarios = {
  async whole() {
    const response = await client.audio.speech.create(asked);
    const sound = Buffer.from(await response.arrayBuffer());
    return { type: response.headers.get("content-type"), sound: sound.toString("base64") };
  },

  async streamed() {
    const response = await client.audio.speech.create(asked);
    const pieces = [];
    for await (const piece of response.body) pieces.push(piece);
    return { type: response.headers.get("content-type"), sound: Buffer.concat(pieces).toString("base64") };
  },

  async refused() {
    try {
      await client.audio.speech.create({ ...asked, speed: 9 });
    } catch (error) {
      return { name: error.constructor.name, status: error.status, param: error.param };
    }
  },
};

console.log(JSON.stringify(await scenarios[process.argv[2]]()));
