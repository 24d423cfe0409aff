/** What a change did, field by field, as a person reads it. */
import { yuan } from "./money";

export interface FieldChange {
  /** `limits.concurrency` for a field inside another. */
  name: string;
  before?: unknown;
  after?: unknown;
}

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Nothing to read: what was made without it, or what the other columns say already. */
const isEmpty = (value: unknown): boolean =>
  value === null || value === "" || value === false || (Array.isArray(value) && value.length === 0);

function flat(fields: Fields, above = ""): Fields {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      isFields(value) ? Object.entries(flat(value, `${above}${name}.`)) : [[`${above}${name}`, value]],
    ),
  );
}

/**
 * The fields that say something: all that differ, or all that are set of what was made or removed.
 * Values that are `known` stand beside it already: the target, who did it and when.
 */
export function changesOf(before: Fields, after: Fields, known: readonly unknown[]): FieldChange[] {
  const [old, now] = [flat(before), flat(after)];
  return [...new Set([...Object.keys(old), ...Object.keys(now)])]
    .map((name) => ({
      name,
      ...(name in old ? { before: old[name] } : {}),
      ...(name in now ? { after: now[name] } : {}),
    }))
    .filter(({ before: was, after: is }) => !known.includes(was) && !known.includes(is))
    .filter((change) =>
      "before" in change && "after" in change
        ? JSON.stringify(change.before) !== JSON.stringify(change.after)
        : !isEmpty(change.before ?? change.after ?? null),
    );
}

/** Nano-yuan as yuan, exactly. */
function ofNano(nano: number): string {
  const digits = String(Math.abs(nano)).padStart(10, "0");
  const part = digits.slice(-9).replace(/0+$/, "");
  return yuan(`${nano < 0 ? "-" : ""}${digits.slice(0, -9)}${part && `.${part}`}`);
}

/** A value by what its field's name says of its unit; `say` words times, truth and nothing. */
export function showValue(
  name: string,
  value: unknown,
  say: {
    time: (ms: number) => string;
    word: (value: string) => string;
    yes: string;
    no: string;
    none: string;
  },
): string {
  if (value === null || value === undefined || value === "") return say.none;
  if (typeof value === "boolean") return value ? say.yes : say.no;
  if (typeof value === "number" && name.endsWith("_ms")) return say.time(value);
  if (typeof value === "number" && /(^|_|\.)nano$/.test(name)) return ofNano(value);
  if (typeof value === "string") return name.endsWith("_yuan") ? yuan(value) : say.word(value);
  if (Array.isArray(value)) return value.length === 0 ? say.none : value.join(", ");
  return JSON.stringify(value);
}
