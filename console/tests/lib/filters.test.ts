import { expect, it } from "vitest";

import { compact, readCount, readList, readOneOf, readText } from "@/lib/filters";
import { readCallSearch } from "@/pages/console/search";
import { readModelSearch } from "@/pages/models/search";

it("reads text, and numbers that an address turned text into", () => {
  expect(readText({ q: "gpt" }, "q")).toBe("gpt");
  expect(readText({ q: 5 }, "q")).toBe("5");
  expect(readText({ q: "  " }, "q")).toBeUndefined();
  expect(readText({ q: { deep: 1 } }, "q")).toBeUndefined();
});

it("reads one value as a list of one, and drops what is no value", () => {
  expect(readList({ vendor: "openai" }, "vendor")).toEqual(["openai"]);
  expect(readList({ vendor: ["a", "", null, 3] }, "vendor")).toEqual(["a", "3"]);
  expect(readList({}, "vendor")).toBeUndefined();
});

it("takes only what is allowed", () => {
  expect(readOneOf({ sort: "-cost" }, "sort", ["cost", "-cost"])).toBe("-cost");
  expect(readOneOf({ sort: "drop table" }, "sort", ["cost"])).toBeUndefined();
  expect(readCount({ n: "12" }, "n")).toBe(12);
  expect(readCount({ n: "1.5" }, "n")).toBeUndefined();
});

it("leaves out of an address what says nothing", () => {
  expect(compact({ q: "", vendor: [], sort: undefined, after: "x" })).toEqual({ after: "x" });
});

it("reads whatever an address holds into filters that a page can use", () => {
  expect(readModelSearch({ vendor: "openai", sort: "nonsense", view: "cards", unit: 3 })).toEqual({
    vendor: ["openai"],
    view: "cards",
  });
  expect(readCallSearch({ from: "2026-05-25", to: "yesterday", outcome: "ok", status: 200 })).toEqual({
    from: "2026-05-25",
    outcome: "ok",
    status: "200",
  });
});
