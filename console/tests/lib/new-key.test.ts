import { expect, test } from "vitest";

import { newKey } from "@/lib/new-key";

test("a key is 32 hexadecimal digits, and another one each time", () => {
  expect(newKey()).toMatch(/^[0-9a-f]{32}$/);
  expect(newKey()).not.toBe(newKey());
});
