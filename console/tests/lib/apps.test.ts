import { describe, expect, it } from "vitest";

import type { App } from "@/api/types";
import { draftOf, formOf, isName, keptWords, parametersOf } from "@/lib/apps";

const GUIDE = {
  name: "guide",
  configured: false,
  state: "available",
  model: "qwen-plus",
  title: { zh: "向导", en: "Guide" },
  description: { zh: "", en: "" },
  system: "Be brief.",
  parameters: { temperature: 0.2 },
  allowed: ["stop"],
  price: {
    per: "mtok",
    currency: "usd",
    input: "1",
    output: "2",
    cache_read: null,
    reasoning: "3",
    when: [{ up_to: 5, input: "9" }],
  },
  created_ms: 1,
  changed_ms: 1,
} as unknown as App;

describe("an application's form", () => {
  it("gives back what it was made of", () => {
    const form = formOf(draftOf(GUIDE), GUIDE);

    expect(form).toMatchObject({
      model: "qwen-plus",
      title: GUIDE.title,
      system: "Be brief.",
      parameters: { temperature: 0.2 },
      allowed: ["stop"],
      price: GUIDE.price,
      accept_price: false,
    });
  });

  it("keeps the price words that it has no fields for, and says which", () => {
    expect(keptWords(GUIDE)).toEqual(["reasoning", "when"]);
    expect(keptWords(null)).toEqual([]);
  });

  it("lets callers give everything, or what is named", () => {
    const draft = draftOf(null);

    expect(formOf(draft, null).allowed).toBeNull();
    expect(formOf({ ...draft, allowedSome: true, allowed: " stop，max_tokens, " }, null).allowed).toEqual([
      "stop",
      "max_tokens",
    ]);
    expect(formOf({ ...draft, allowedSome: true }, null).allowed).toEqual([]);
  });

  it("has no price of its own unless it is asked for", () => {
    expect(formOf({ ...draftOf(GUIDE), ownPrice: false }, GUIDE).price).toBeNull();
  });
});

describe("what is typed", () => {
  it.each(["guide", "a", "a-b_2", "9"])("%s is a name", (name) => {
    expect(isName(name)).toBe(true);
  });
  it.each(["", "Guide", "-a", "a b", "a/b", "x".repeat(65)])("%s is no name", (name) => {
    expect(isName(name)).toBe(false);
  });
  it.each(["[]", "7", "null", "{", "{a: 1}"])("%s is no object of parameters", (text) => {
    expect(parametersOf(text)).toBeNull();
  });
  it("may be left out", () => {
    expect(parametersOf(" ")).toEqual({});
  });
});
