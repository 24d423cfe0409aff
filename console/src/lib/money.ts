/**
 * Yuan as text. Amounts arrive as decimal strings and stay exact: they are never a float, here as on the server.
 */

/** A decimal number: `digits` times ten to the power of minus `scale`. */
interface Decimal {
  digits: bigint;
  scale: number;
}

const PLAIN = /^(-?)(\d+)(?:\.(\d+))?$/;

export function readDecimal(text: string): Decimal {
  const match = PLAIN.exec(text.trim());
  if (!match) throw new RangeError(`not a decimal number: ${text}`);
  const [, sign = "", whole = "0", fraction = ""] = match;
  return { digits: BigInt(sign + whole + fraction), scale: fraction.length };
}

/** Write a decimal with the digits that it needs, and at least `least` of them after the point. */
export function writeDecimal({ digits, scale }: Decimal, least = 0): string {
  const negative = digits < 0n;
  const text = (negative ? -digits : digits).toString().padStart(scale + 1, "0");
  const whole = text.slice(0, text.length - scale);
  const fraction = text
    .slice(text.length - scale)
    .replace(/0+$/, "")
    .padEnd(least, "0");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return (negative ? "−" : "") + grouped + (fraction ? `.${fraction}` : "");
}

/** `0.0025` → `¥0.0025`: every digit that the value has, and no more. */
export function yuan(text: string): string {
  return withSign(writeDecimal(readDecimal(text)));
}

/** Costs are rounded to the nearest; what is in a wallet is rounded down, so that nobody counts on what is not there. */
export type Rounding = "nearest" | "down";

/** A total: two digits, or more when the amount is so small that two would show nothing. */
export function yuanTotal(text: string, rounding: Rounding = "nearest"): string {
  const value = readDecimal(text);
  let places = 2;
  let rounded = round(value, places, rounding);
  while (rounded.digits === 0n && value.digits !== 0n && places < value.scale)
    rounded = round(value, ++places, rounding);
  if (places > 2 && places < value.scale) rounded = round(value, places + 1, rounding);
  return withSign(writeDecimal(rounded, 2));
}

/** A price per 1,000 tokens as the same price per million. */
export function timesThousand(text: string): string {
  const { digits, scale } = readDecimal(text);
  return writeDecimal({ digits: digits * 1000n, scale })
    .replace("−", "-")
    .replaceAll(",", "");
}

/** The sum of decimal strings, as one. */
export function sum(texts: readonly string[]): string {
  const values = texts.map(readDecimal);
  const scale = Math.max(0, ...values.map((value) => value.scale));
  const digits = values.reduce((total, value) => total + value.digits * 10n ** BigInt(scale - value.scale), 0n);
  return writeDecimal({ digits, scale }).replace("−", "-").replaceAll(",", "");
}

/** What is left of one decimal string when another is taken away. */
export function subtract(from: string, taken: string): string {
  return sum([from, taken.startsWith("-") ? taken.slice(1) : `-${taken}`]);
}

/** Compare as numbers: negative, zero or positive. */
export function compare(a: string, b: string): number {
  const [x, y] = [readDecimal(a), readDecimal(b)];
  const scale = Math.max(x.scale, y.scale);
  const difference = x.digits * 10n ** BigInt(scale - x.scale) - y.digits * 10n ** BigInt(scale - y.scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export const isZero = (text: string): boolean => readDecimal(text).digits === 0n;
export const isNegative = (text: string): boolean => readDecimal(text).digits < 0n;

/** Whether a person's input is an amount of yuan that the server can keep: not negative, at most nine digits. */
export function isAmount(text: string): boolean {
  return /^\d{1,9}(\.\d{1,9})?$/.test(text.trim());
}

/** For a chart's axis, where a pixel is coarser than a float. */
export const approximate = (text: string): number => Number(text);

function round({ digits, scale }: Decimal, places: number, rounding: Rounding): Decimal {
  if (scale <= places) return { digits, scale };
  const unit = 10n ** BigInt(scale - places);
  const size = digits < 0n ? -digits : digits;
  // Down means away from zero below it: a debt is not made smaller.
  const add = rounding === "nearest" ? unit / 2n : digits < 0n ? unit - 1n : 0n;
  const rounded = (size + add) / unit;
  return { digits: digits < 0n ? -rounded : rounded, scale: places };
}

function withSign(text: string): string {
  return text.startsWith("−") ? `−¥${text.slice(1)}` : `¥${text}`;
}
