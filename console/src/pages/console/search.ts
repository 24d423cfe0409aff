/** What of the console's lists is in the address. `org` is the organisation; without it, the last one used. */
import { compact, readOneOf, readText } from "@/lib/filters";

export const OUTCOMES = [
  "ok",
  "error",
  "client_gone",
  "upstream_cut",
  "length",
  "stopped",
  "cancelled",
  "crashed",
] as const;
const SORTS = ["started", "-started", "cost", "-cost", "latency", "-latency"] as const;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export interface OrgSearch {
  org?: string | undefined;
}

export interface ListSearch extends OrgSearch {
  q?: string | undefined;
  after?: string | undefined;
}

export interface CallSearch extends ListSearch {
  model?: string | undefined;
  key_id?: string | undefined;
  project_id?: string | undefined;
  outcome?: (typeof OUTCOMES)[number] | undefined;
  status?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  sort?: string | undefined;
}

export const JOB_KINDS = ["image", "video", "music", "transcription"] as const;
export const JOB_STATES = ["queued", "running", "succeeded", "failed", "cancelled", "expired"] as const;

export interface JobSearch extends ListSearch {
  kind?: (typeof JOB_KINDS)[number] | undefined;
  state?: (typeof JOB_STATES)[number] | undefined;
}

export interface UsageSearch extends OrgSearch {
  by?: "day" | "model" | "key" | undefined;
  split?: "model" | "key" | "none" | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

export interface WalletSearch extends OrgSearch {
  wallet?: string | undefined;
  after?: string | undefined;
}

type Raw = Record<string, unknown>;

const readDay = (raw: Raw, name: string): string | undefined => {
  const day = readText(raw, name);
  return day && DAY.test(day) ? day : undefined;
};

export const readOrgSearch = (raw: Raw): OrgSearch => compact({ org: readText(raw, "org") });

export const readListSearch = (raw: Raw): ListSearch =>
  compact({ org: readText(raw, "org"), q: readText(raw, "q"), after: readText(raw, "after") });

export const readCallSearch = (raw: Raw): CallSearch =>
  compact({
    ...readListSearch(raw),
    model: readText(raw, "model"),
    key_id: readText(raw, "key_id"),
    project_id: readText(raw, "project_id"),
    outcome: readOneOf(raw, "outcome", OUTCOMES),
    status: readText(raw, "status"),
    from: readDay(raw, "from"),
    to: readDay(raw, "to"),
    sort: readOneOf(raw, "sort", SORTS),
  });

export const readJobSearch = (raw: Raw): JobSearch =>
  compact({
    ...readListSearch(raw),
    kind: readOneOf(raw, "kind", JOB_KINDS),
    state: readOneOf(raw, "state", JOB_STATES),
  });

export const readUsageSearch = (raw: Raw): UsageSearch =>
  compact({
    org: readText(raw, "org"),
    by: readOneOf(raw, "by", ["day", "model", "key"]),
    split: readOneOf(raw, "split", ["model", "key", "none"]),
    from: readDay(raw, "from"),
    to: readDay(raw, "to"),
  });

export const readWalletSearch = (raw: Raw): WalletSearch =>
  compact({ org: readText(raw, "org"), wallet: readText(raw, "wallet"), after: readText(raw, "after") });
