import { expect, it } from "vitest";

import { shorten, showContext } from "@/lib/count";
import { largest, colourOf } from "@/lib/series";
import { pageLink, slugOf } from "@/lib/slug";
import { readSpoken } from "@/lib/sse";
import { showDuration } from "@/lib/time";

it.each([
  [999, "999"],
  [1000, "1k"],
  [12_345, "12.3k"],
  [999_949, "1000k"],
  [1_500_000, "1.5M"],
])("shortens %d to %s", (count, shown) => {
  expect(shorten(count)).toBe(shown);
});

it.each([
  [262_144, "256K"],
  [128_000, "128K"],
  [1_000_000, "1M"],
  [1_048_576, "1M"],
  [131_072, "128K"],
  [200_000, "200K"],
])("writes a context of %d tokens as %s", (tokens, shown) => {
  expect(showContext(tokens)).toBe(shown);
});

it("writes durations as a person reads them", () => {
  expect([12, 1234, 12_345, 75_000].map(showDuration)).toEqual(["12 ms", "1.23 s", "12.3 s", "1 min 15 s"]);
});

it("makes the anchors that the server makes", () => {
  expect(slugOf("1. Start it")).toBe("1-start-it");
  expect(slugOf("`POST` /v1/models")).toBe("post-v1models");
  expect(slugOf("计费 与 余额")).toBe("计费-与-余额");
});

it("turns links between files into links between pages", () => {
  expect(pageLink("billing.zh.md", "guide/quick-start")).toBe("/docs/guide/billing");
  expect(pageLink("../invariants.md#3", "guide/billing")).toBe("/docs/invariants#3");
  expect(pageLink("https://example.com/a.md", "guide/billing")).toBe("https://example.com/a.md");
  expect(pageLink("#here", "guide/billing")).toBe("#here");
});

it("reads the words of a whole answer and of a stream that has not ended", () => {
  expect(readSpoken('{"choices":[{"message":{"content":"Hi","reasoning_content":"Hm"}}]}')).toEqual({
    text: "Hi",
    thinking: "Hm",
  });
  const stream =
    'data: {"choices":[{"delta":{"content":"你"}}]}\n\ndata: {"choices":[{"delta":{"content":"好"}}]}\n\ndata: {"choi';
  expect(readSpoken(stream)?.text).toBe("你好");
  expect(readSpoken('{"error":{"message":"no"}}')).toBeNull();
});

it("reads the words of DashScope's answers, whole and in events of either kind", () => {
  const said = (content: unknown, thought = "") =>
    JSON.stringify({ output: { choices: [{ message: { content, reasoning_content: thought } }] } });
  const stream = (...events: string[]) =>
    events.map((data, at) => `id:${at + 1}\nevent:result\ndata:${data}\n\n`).join("");

  expect(readSpoken(said([{ text: "Hi" }], "Hm"))).toEqual({ text: "Hi", thinking: "Hm" });
  expect(readSpoken('{"output":{"text":"Hi","finish_reason":"stop"}}')?.text).toBe("Hi");
  const pieces = stream(said("", "Hm"), said("ha"), said("haha"), said(""));
  expect(readSpoken(pieces)).toEqual({ text: "hahaha", thinking: "Hm" });
  const wholes = stream(said("", "Hm"), said("ha", "Hm"), said("haha", "Hm"), said("haha", "Hm"));
  expect(readSpoken(wholes)).toEqual({ text: "haha", thinking: "Hm" });
});

it("shows at most five slices, and keeps their sum", () => {
  const slices = [5, 9, 1, 3, 7, 2].map((value, index) => ({ name: `m${index}`, value }));

  const shown = largest(slices, "other");

  expect(shown.map((slice) => slice.name)).toEqual(["m1", "m4", "m0", "m3", "other"]);
  expect(shown.reduce((total, slice) => total + slice.value, 0)).toBe(27);
});

it("gives a name the same colour every time", () => {
  expect(colourOf("gpt-5")).toBe(colourOf("gpt-5"));
});

it("a transcript is read whole, and as it comes", () => {
  expect(readSpoken('{"text":"Hello there","usage":{"type":"duration","seconds":3}}')?.text).toBe("Hello there");
  const done = '{"type":"transcript.text.done","text":"Hello there"}';
  const pieces = ["Hello", " there"].map((delta) => JSON.stringify({ type: "transcript.text.delta", delta }));
  expect(readSpoken([...pieces, done].map((one) => `data: ${one}\n\n`).join(""))?.text).toBe("Hello there");
});
