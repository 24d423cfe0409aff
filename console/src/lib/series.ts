/** At most five series on a chart, the rest as "other"; and the same colour for the same name on every page. */
export const MAX_SERIES = 5;
const COLOURS = 8;

/** A number from a name, the same on every page and every day. */
export function colourOf(name: string): number {
  let hash = 2166136261;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16777619);
  return (hash >>> 0) % COLOURS;
}

export interface Slice {
  name: string;
  value: number;
}

/** The largest few, and the sum of the others under a name of its own. */
export function largest(slices: readonly Slice[], other: string): Slice[] {
  const sorted = slices.toSorted((a, b) => b.value - a.value);
  if (sorted.length <= MAX_SERIES) return sorted;
  const rest = sorted.slice(MAX_SERIES - 1).reduce((total, slice) => total + slice.value, 0);
  return [...sorted.slice(0, MAX_SERIES - 1), { name: other, value: rest }];
}
