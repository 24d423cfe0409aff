/** What of the model list is in the address. */
import { compact, readList, readOneOf, readText } from "@/lib/filters";

export const FACETS = ["vendor", "kind", "series", "capability", "region"] as const;
const SORTS = ["name", "vendor", "context", "input", "output", "updated", "calls"];

export interface ModelSearch {
  q?: string | undefined;
  vendor?: string[] | undefined;
  kind?: string[] | undefined;
  series?: string[] | undefined;
  capability?: string[] | undefined;
  region?: string[] | undefined;
  sort?: string | undefined;
  after?: string | undefined;
  view?: "table" | "cards" | undefined;
  unit?: "ktok" | "mtok" | undefined;
}

export function readModelSearch(raw: Record<string, unknown>): ModelSearch {
  return compact({
    q: readText(raw, "q"),
    vendor: readList(raw, "vendor"),
    kind: readList(raw, "kind"),
    series: readList(raw, "series"),
    capability: readList(raw, "capability"),
    region: readList(raw, "region"),
    sort: readOneOf(raw, "sort", [...SORTS, ...SORTS.map((name) => `-${name}`)]),
    after: readText(raw, "after"),
    view: readOneOf(raw, "view", ["table", "cards"]),
    unit: readOneOf(raw, "unit", ["ktok", "mtok"]),
  });
}
