import { expect, test } from "vitest";

import { changesOf, fieldName, showValue } from "@/lib/audit";

const SAY = { time: (ms: number) => `at ${ms}`, yes: "yes", no: "no", none: "–" };

test("of a change only what differs is told, also inside of a field", () => {
  const before = { name: "a", limits: { concurrency: null, requests_per_minute: 5 } };
  const after = { name: "a", limits: { concurrency: 3, requests_per_minute: 5 } };

  expect(changesOf(before, after, "key_1")).toEqual([{ name: "limits.concurrency", before: null, after: 3 }]);
});

test("of what was made only what is set is told, and its id is not told twice", () => {
  const made = { id: "key_1", name: "a", models: [], expires_ms: null, operator: false };

  expect(changesOf({}, made, "key_1")).toEqual([{ name: "name", after: "a" }]);
  expect(changesOf(made, {}, "key_1")).toEqual([{ name: "name", before: "a" }]);
});

test("a flag that changed is told either way", () => {
  expect(changesOf({ operator: true }, { operator: false }, "usr_1")).toEqual([
    { name: "operator", before: true, after: false },
  ]);
});

test("values are shown by the unit in their field's name", () => {
  expect(showValue("expires_ms", 12, SAY)).toBe("at 12");
  expect(showValue("limits.spend_per_day_nano", 1_500_000_000, SAY)).toBe("¥1.5");
  expect(showValue("rules.budget.nano", 1, SAY)).toBe("¥0.000000001");
  expect(showValue("amount_yuan", "12.5", SAY)).toBe("¥12.5");
  expect(showValue("operator", false, SAY)).toBe("no");
  expect(showValue("rules.models", ["a", "b"], SAY)).toBe("a, b");
  expect(showValue("disabled_ms", null, SAY)).toBe("–");
  expect(fieldName("limits.spend_per_day_nano")).toBe("limits.spend per day");
});
