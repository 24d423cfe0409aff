// One scenario of OpenAI's official JavaScript SDK for videos; prints what came of it as JSON.
//
//   node openai-videos.mjs SCENARIO     with BASE_URL, API_KEY and MODEL in the environment

import OpenAI, { toFile } from "openai";

const model = process.env.MODEL;
const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0 });
const asked = { model, prompt: "a cat", seconds: "4", size: "1280x720" };

const scenarios = {
  async make() {
    const film = await made(asked);
    const content = await client.videos.downloadContent(film.id);
    return { film, type: content.headers.get("content-type"), content: await base64(content) };
  },

  async "from-a-picture"() {
    const picture = Buffer.from(process.env.PICTURE, "base64");
    return made({ ...asked, input_reference: await toFile(picture, "cat.png", { type: "image/png" }) });
  },

  async remix() {
    const film = await made(asked);
    return { source: film.id, changed: await client.videos.remix(film.id, { prompt: "a dog" }) };
  },

  async edit() {
    const film = await made(asked);
    return { source: film.id, changed: await client.videos.edit({ prompt: "a dog", video: { id: film.id } }) };
  },

  async list() {
    const first = await client.videos.create(asked);
    const second = await client.videos.create(asked);
    const ids = [];
    for await (const film of client.videos.list({ limit: 1 })) {
      ids.push(film.id);
      if (ids.length === 2) break;
    }
    return { made: [second.id, first.id], ids };
  },

  async delete() {
    const film = await made(asked);
    const deleted = await client.videos.delete(film.id);
    return { id: film.id, deleted, after: await caught(client.videos.retrieve(film.id)) };
  },

  async refused() {
    return caught(client.videos.create({ ...asked, prompt: "ERROR 429" }));
  },
};

async function made(params) {
  let film = await client.videos.create(params);
  while (film.status === "queued" || film.status === "in_progress") {
    await new Promise((resolve) => setTimeout(resolve, 20));
    film = await client.videos.retrieve(film.id);
  }
  return film;
}

async function base64(content) {
  return Buffer.from(await content.arrayBuffer()).toString("base64");
}

async function caught(promise) {
  try {
    await promise;
  } catch (error) {
    return { name: error.constructor.name, status: error.status };
  }
  throw new Error("nothing was thrown");
}

console.log(JSON.stringify(await scenarios[process.argv[2]]()));
