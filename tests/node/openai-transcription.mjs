// Transcriptions and translations by OpenAI's official JavaScript SDK, in every shape, streamed, and refused; prints
// what they say as JSON.
//
//   node openai-transcription.mjs SCENARIO     with BASE_URL, API_KEY and MODEL in the environment, a WAV in FILE

import { createReadStream } from "node:fs";

import OpenAI from "openai";

const model = process.env.MODEL;
const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0 });
const heard = client.audio.transcriptions;
const file = () => createReadStream(process.argv[3]);

const scenarios = {
  async shapes() {
    const shapes = ["json", "text", "srt", "vtt", "verbose_json"];
    const told = {};
    for (const response_format of shapes) told[response_format] = await heard.create({ file: file(), model, response_format });
    return told;
  },

  async words() {
    return await heard.create({
      file: file(),
      model,
      response_format: "verbose_json",
      timestamp_granularities: ["word", "segment"],
    });
  },

  async translated() {
    return await client.audio.translations.create({ file: file(), model });
  },

  async streamed() {
    const events = [];
    for await (const event of await heard.create({ file: file(), model, stream: true })) events.push(event);
    return events;
  },

  async refused() {
    try {
      await heard.create({ file: file(), model, response_format: "diarized_json" });
    } catch (error) {
      return { name: error.constructor.name, status: error.status, param: error.param };
    }
  },
};

console.log(JSON.stringify(await scenarios[process.argv[2]]()));
