// One scenario of OpenAI's official JavaScript SDK for images; prints what came of it as JSON.
//
//   node openai-images.mjs SCENARIO     with BASE_URL, API_KEY and MODEL in the environment

import OpenAI, { toFile } from "openai";

const model = process.env.MODEL;
const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0 });
const pixel =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const file = (name) => toFile(Buffer.from(pixel, "base64"), name, { type: "image/png" });
const wide = { model, prompt: "a cat", size: "64x32" };

const scenarios = {
  async generate() {
    return client.images.generate({ ...wide, n: 2 });
  },

  async stream() {
    const events = [];
    for await (const event of await client.images.generate({ ...wide, stream: true, partial_images: 1 }))
      events.push(event);
    return events;
  },

  async edit() {
    return client.images.edit({ ...wide, image: [await file("a.png"), await file("b.png")], mask: await file("m.png") });
  },

  async "stream-edit"() {
    const events = [];
    for await (const event of await client.images.edit({ ...wide, image: await file("a.png"), stream: true }))
      events.push(event);
    return events;
  },

  async refused() {
    try {
      return await client.images.generate({ ...wide, prompt: "fail 429" });
    } catch (error) {
      return { status: error.status, message: error.message };
    }
  },
};

console.log(JSON.stringify(await scenarios[process.argv[2]]()));
