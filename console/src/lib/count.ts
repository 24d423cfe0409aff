/** Counts as a person reads them. */

const exact = new Intl.NumberFormat("en-US");

export const showCount = (count: number): string => exact.format(count);

/** `12345` → `12.3k`; below a thousand the count itself. */
export function shorten(count: number): string {
  const size = Math.abs(count);
  if (size < 1000) return String(count);
  const [divisor, unit] = size < 999_950 ? [1e3, "k"] : size < 999_950_000 ? [1e6, "M"] : ([1e9, "G"] as const);
  const value = count / divisor;
  return `${value.toFixed(Math.abs(value) < 99.95 ? 1 : 0).replace(/\.0$/, "")}${unit}`;
}

/** A context length as vendors write it: `262144` → `256K`, `128000` → `128K`, `1000000` → `1M`, `1048576` → `1M`. */
export function showContext(tokens: number): string {
  if (tokens >= 1_000_000) {
    const unit = tokens % 1_048_576 === 0 ? 1_048_576 : 1_000_000;
    return `${Number((tokens / unit).toFixed(2))}M`;
  }
  const unit = tokens % 1000 !== 0 && tokens % 1024 === 0 ? 1024 : 1000;
  return tokens < 1000 ? String(tokens) : `${Number((tokens / unit).toFixed(1))}K`;
}
