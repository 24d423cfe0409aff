import { expect, test } from "vitest";

import { showAgo } from "../../src/lib/time";

const NOW_MS = 1_795_287_215_000;

test.each([
  [-59_000, "now"],
  [3_000, "now"],
  [29_000, "now"],
  [-60_000, "1 minute ago"],
  [-7_200_000, "2 hours ago"],
  [-86_400_000, "yesterday"],
  [3 * 86_400_000, "in 3 days"],
])("a time %i ms from now is said as %s", (away, said) => {
  expect(showAgo(NOW_MS + away, NOW_MS, "en")).toBe(said);
});

test("nothing that was just done lies in the future", () => {
  expect(showAgo(NOW_MS + 25_000, NOW_MS, "zh-CN")).toBe("现在");
});
