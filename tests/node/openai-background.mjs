// One scenario of OpenAI's official JavaScript SDK for responses in the background; prints what came of it as JSON.
//
//   node openai-background.mjs SCENARIO     with BASE_URL, API_KEY and MODEL in the environment

import OpenAI from "openai";

const model = process.env.MODEL;
const client = new OpenAI({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0 });
const asked = { model, input: "Hello", background: true };

const scenarios = {
  async polled() {
    const begun = await client.responses.create(asked);
    let response = begun;
    while (["queued", "in_progress"].includes(response.status)) response = await client.responses.retrieve(begun.id);
    return {
      begun: [begun.status, begun.background, begun.output_text],
      ended: [response.status, response.output_text, response.usage.output_tokens],
      same: response.id === begun.id,
    };
  },

  async resumed() {
    const heard = [];
    for await (const event of await client.responses.create({ ...asked, stream: true })) {
      heard.push(event);
      if (event.type === "response.output_text.delta") break;
    }
    const { id } = heard[0].response;
    const left = heard.length;
    const starting_after = heard.at(-1).sequence_number;
    for await (const event of await client.responses.retrieve(id, { stream: true, starting_after })) heard.push(event);
    const again = [];
    for await (const event of await client.responses.retrieve(id, { stream: true })) again.push(event);
    return {
      types: heard.slice(0, 3).map((event) => event.type),
      last: heard.at(-1).type,
      more: heard.length > left,
      ordered: heard.every((event, at) => event.sequence_number === at),
      text: heard.map((event) => (event.type === "response.output_text.delta" ? event.delta : "")).join(""),
      same: JSON.stringify(again) === JSON.stringify(heard),
    };
  },

  async cancelled() {
    const begun = await client.responses.create({ ...asked, input: "wait" });
    const first = await client.responses.cancel(begun.id);
    // The SDK itself adds output_text to what is retrieved, and not to what is cancelled.
    const { output_text, ...found } = await client.responses.retrieve(begun.id);
    const again = await client.responses.cancel(begun.id);
    const same = [found, again].every((one) => JSON.stringify(one) === JSON.stringify(first));
    await client.responses.delete(begun.id);
    const gone = await client.responses.retrieve(begun.id).catch((error) => error.status);
    return { status: first.status, output: first.output, output_text, same, gone };
  },

  async refused() {
    const caught = (promise) => promise.then(() => null, ({ status, param }) => ({ status, param }));
    const begun = await client.responses.create(asked);
    while ((await client.responses.retrieve(begun.id)).status !== "completed");
    return {
      unstored: await caught(client.responses.create({ ...asked, store: false })),
      ended: await caught(client.responses.cancel(begun.id)),
      unstreamed: await caught(client.responses.retrieve(begun.id, { stream: true })),
    };
  },
};

console.log(JSON.stringify(await scenarios[process.argv[2]]()));
