import { expect, test } from "vitest";

import { ACTIONS, GROUPS, wordAction, wordField, wordValue } from "@/i18n/audit";
import { changesOf, showValue } from "@/lib/audit";

const SAY = {
  time: (ms: number) => `at ${ms}`,
  word: (value: string) => value.toUpperCase(),
  yes: "yes",
  no: "no",
  none: "–",
};

test("of a change only what differs is told, also inside of a field", () => {
  const before = { name: "a", limits: { concurrency: null, requests_per_minute: 5 } };
  const after = { name: "a", limits: { concurrency: 3, requests_per_minute: 5 } };

  expect(changesOf(before, after, ["key_1"])).toEqual([{ name: "limits.concurrency", before: null, after: 3 }]);
});

test("of what was made only what is set is told, and its id is not told twice", () => {
  const made = { id: "key_1", name: "a", models: [], expires_ms: null, operator: false };

  expect(changesOf({}, made, ["key_1"])).toEqual([{ name: "name", after: "a" }]);
  expect(changesOf(made, {}, ["key_1"])).toEqual([{ name: "name", before: "a" }]);
});

test("a flag that changed is told either way", () => {
  expect(changesOf({ operator: true }, { operator: false }, ["usr_1"])).toEqual([
    { name: "operator", before: true, after: false },
  ]);
});

test("values are shown by the unit in their field's name", () => {
  expect(showValue("expires_ms", 12, SAY)).toBe("at 12");
  expect(showValue("limits.spend_per_day_nano", 1_500_000_000, SAY)).toBe("¥1.5");
  expect(showValue("rules.budget.nano", 1, SAY)).toBe("¥0.000000001");
  expect(showValue("amount_yuan", "12.5", SAY)).toBe("¥12.5");
  expect(showValue("role", "owner", SAY)).toBe("OWNER");
  expect(showValue("operator", false, SAY)).toBe("no");
  expect(showValue("rules.models", ["a", "b"], SAY)).toBe("a, b");
  expect(showValue("disabled_ms", null, SAY)).toBe("–");
});

test("actions, fields and values are words in both languages, and what an older version wrote is its own name", () => {
  expect([wordAction("key.rotate", "zh"), wordAction("key.rotate", "en")]).toEqual(["轮换密钥", "Rotated a key"]);
  expect([wordField("limits.concurrency", "zh"), wordField("expires_ms", "en")]).toEqual(["并发上限", "Expires"]);
  expect([wordValue("role", "billing", "zh"), wordValue("note", "billing", "zh")]).toEqual(["财务", "billing"]);
  expect(wordAction("key.forgotten", "en")).toBe("key.forgotten");
});

test("every action belongs to a group of the menu", () => {
  const groups = Object.keys(ACTIONS).map((action) => action.split(".")[0]);

  expect([...new Set(groups)].toSorted()).toEqual(Object.keys(GROUPS).toSorted());
});
