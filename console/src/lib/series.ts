/** At most five series on a chart, the rest as "other"; and the same colour for the same name on every page. */
import { approximate, compare, isZero, subtract, sum } from "./money";

export const MAX_SERIES = 5;
const COLOURS = 8;

/** The id of the series of all that have none of their own. */
export const OTHER = "";

/** A number from a name, the same on every page and every day. */
export function colourOf(name: string): number {
  let hash = 2166136261;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16777619);
  return (hash >>> 0) % COLOURS;
}

/** The theme's variables for series that are on one chart: each in its own colour, or in the next that is free. */
export function coloursOf(series: readonly { id: string }[]): string[] {
  const taken = new Set<number>();
  return series.map(({ id }) => {
    if (id === OTHER) return "series-other";
    let colour = colourOf(id);
    while (taken.has(colour) && taken.size < COLOURS) colour = (colour + 1) % COLOURS;
    taken.add(colour);
    return `series-${colour}`;
  });
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

/** What one model or key is of every day, in yuan. */
export interface Series {
  id: string;
  name: string;
  values: string[];
  total: string;
}

export interface DayCost {
  day: string;
  id: string;
  cost: string;
}

/** Split days into the largest few, and what is left of each day as another series; the dearest first. */
export function stack(
  days: readonly { day: string; cost: string }[],
  parts: readonly DayCost[],
  nameOf: (id: string) => string,
  other: string,
): Series[] {
  const costs = new Map(parts.map((part) => [`${part.day} ${part.id}`, part.cost]));
  const given = [...new Set(parts.map((part) => part.id))].map((id): Series => {
    const values = days.map(({ day }) => costs.get(`${day} ${id}`) ?? "0");
    return { id, name: nameOf(id), values, total: sum(values) };
  });
  const kept = new Set(
    largest(
      given.map(({ id, total }) => ({ name: id, value: approximate(total) })),
      OTHER,
    ).map(({ name }) => name),
  );
  const shown = given.filter(({ id }) => kept.has(id)).toSorted((a, b) => compare(b.total, a.total));
  const values = days.map(({ cost }, at) => subtract(cost, sum(shown.map((one) => one.values[at] ?? "0"))));
  const rest: Series = { id: OTHER, name: other, values, total: sum(values) };
  return isZero(rest.total) ? shown : [...shown, rest];
}
