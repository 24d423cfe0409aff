import { describe, expect, it } from "vitest";

import { compare, isAmount, isNegative, isZero, sum, timesThousand, yuan, yuanTotal } from "@/lib/money";

describe("yuan", () => {
  it.each([
    ["0.00228125", "¥0.00228125"],
    ["0.0025", "¥0.0025"],
    ["12.340", "¥12.34"],
    ["1234567.5", "¥1,234,567.5"],
    ["0", "¥0"],
    ["-3.50", "−¥3.5"],
    ["90071992547409931.000000001", "¥90,071,992,547,409,931.000000001"],
  ])("writes %s with the digits that it needs: %s", (text, shown) => {
    expect(yuan(text)).toBe(shown);
  });

  it("refuses what is not a decimal number", () => {
    expect(() => yuan("1e-7")).toThrow(RangeError);
  });
});

describe("a total", () => {
  it.each([
    ["12.34", "¥12.34"],
    ["12", "¥12.00"],
    ["0.005", "¥0.01"],
    ["12.345", "¥12.35"],
    ["0.00228125", "¥0.0023"],
    ["0.000000001", "¥0.000000001"],
    ["-0.5", "−¥0.50"],
    ["0", "¥0.00"],
  ])("of %s is shown as %s", (text, shown) => {
    expect(yuanTotal(text)).toBe(shown);
  });
});

it("never shows more in a wallet than there is", () => {
  expect(yuanTotal("9.9999762", "down")).toBe("¥9.99");
  expect(yuanTotal("0.0029", "down")).toBe("¥0.0029");
  expect(yuanTotal("-0.001", "down")).toBe("−¥0.01");
});

it("adds without losing a digit", () => {
  expect(sum(["0.1", "0.2"])).toBe("0.3");
  expect(sum(["9007199254740993.000000001", "-0.000000001"])).toBe("9007199254740993");
  expect(sum([])).toBe("0");
});

it("turns a price per thousand into one per million", () => {
  expect(timesThousand("0.0025")).toBe("2.5");
  expect(timesThousand("0.000000001")).toBe("0.000001");
});

it("compares as numbers, not as text", () => {
  expect(compare("10", "9.5")).toBeGreaterThan(0);
  expect(compare("0.10", "0.1")).toBe(0);
  expect(isZero("0.000")).toBe(true);
  expect(isNegative("-0.1")).toBe(true);
});

it("takes as an amount what the ledger can keep", () => {
  expect(["12.50", "0.000000001", "1"].every(isAmount)).toBe(true);
  expect(["", "-1", "1e3", "1.0000000001", ".5", "1,000"].some(isAmount)).toBe(false);
});
