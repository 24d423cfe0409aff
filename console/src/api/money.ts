/** Wallets, calls and usage of the open org. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { call, ROOT, withQuery } from "./client";
import { useOrgChange, useOrgId } from "./orgs";
import type {
  Alert,
  AlertSet,
  AlertTested,
  AlertForm,
  CallPage,
  CallDetail,
  Hold,
  JournalEntry,
  Page,
  Redeemed,
  UsageReport,
  Wallet,
} from "./types";

const ALL = 200;

export function useWallets() {
  const org = useOrgId();
  return useQuery({
    queryKey: ["org", org, "wallets"],
    queryFn: () => call<Page<Wallet>>(`/orgs/${org}/wallets`, { query: { limit: ALL } }),
    enabled: org !== "",
    refetchInterval: 30_000,
  });
}

export function useJournal(wallet: string, after: string | undefined) {
  const org = useOrgId();
  return useQuery({
    queryKey: ["org", org, "journal", wallet, after],
    queryFn: () => call<Page<JournalEntry>>(`/orgs/${org}/wallets/${wallet}/journal`, { query: { after, limit: 50 } }),
    enabled: wallet !== "",
    placeholderData: keepPreviousData,
  });
}

export function useHolds(wallet: string) {
  const org = useOrgId();
  return useQuery({
    queryKey: ["org", org, "holds", wallet],
    queryFn: () => call<Page<Hold>>(`/orgs/${org}/wallets/${wallet}/holds`),
    enabled: wallet !== "",
  });
}

export const useCreateWallet = () =>
  useOrgChange<string, Wallet>(
    () => "/wallets",
    "POST",
    ["wallets"],
    (name) => ({ name }),
  );

export const useRedeem = () =>
  useOrgChange<{ wallet_id: string; code: string }, Redeemed>(
    ({ wallet_id }) => `/wallets/${wallet_id}/redeem`,
    "POST",
    ["wallets", "journal"],
    ({ code }) => ({ code }),
  );

export function useAlert(wallet: string) {
  const org = useOrgId();
  return useQuery({
    queryKey: ["org", org, "alert", wallet],
    queryFn: () => call<Alert | null>(`/orgs/${org}/wallets/${wallet}/alert`),
    enabled: wallet !== "",
  });
}

export const useSetAlert = () =>
  useOrgChange<AlertForm & { wallet_id: string }, AlertSet>(
    ({ wallet_id }) => `/wallets/${wallet_id}/alert`,
    "PUT",
    ["alert"],
    ({ wallet_id: _wallet, ...form }) => form,
  );

export const useRemoveAlert = () => useOrgChange<string>((id) => `/wallets/${id}/alert`, "DELETE", ["alert"]);

export function useTestAlert() {
  const org = useOrgId();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wallet: string) => call<AlertTested>(`/orgs/${org}/wallets/${wallet}/alert/test`, { method: "POST" }),
    onSettled: () => queries.invalidateQueries({ queryKey: ["org", org, "alert"] }),
  });
}

export interface CallFilters {
  from_ms?: number | undefined;
  to_ms?: number | undefined;
  model?: string | undefined;
  key_id?: string | undefined;
  project_id?: string | undefined;
  status?: string | undefined;
  outcome?: string | undefined;
  q?: string | undefined;
  sort?: string | undefined;
  after?: string | undefined;
}

export function useCalls(filters: CallFilters, limit: number) {
  const org = useOrgId();
  return useQuery({
    queryKey: ["org", org, "calls", filters, limit],
    queryFn: ({ signal }) => call<CallPage>(`/orgs/${org}/calls`, { query: { ...filters, limit }, signal }),
    enabled: org !== "",
    placeholderData: keepPreviousData,
  });
}

export function useCall(id: string) {
  const org = useOrgId();
  return useQuery({
    queryKey: ["org", org, "call", id],
    queryFn: () => call<CallDetail>(`/orgs/${org}/calls/${encodeURIComponent(id)}`),
    enabled: org !== "",
  });
}

/** The address of the CSV of what the filters show. */
export function callsCsv(org: string, filters: CallFilters): string {
  const { after: _after, ...rest } = filters;
  return withQuery(`${ROOT}/orgs/${org}/calls.csv`, rest);
}

/** The address of the CSV of a wallet's journal. */
export const journalCsv = (org: string, wallet: string): string => `${ROOT}/orgs/${org}/wallets/${wallet}/journal.csv`;

export type UsageBy = "day" | "model" | "key";

export type UsageSplit = "model" | "key";

/** Sums of days, models or keys; days may be split. */
export function useUsage(by: UsageBy, split: UsageSplit | undefined, fromDay: string, toDay: string) {
  const org = useOrgId();
  return useQuery({
    queryKey: ["org", org, "usage", by, split, fromDay, toDay],
    queryFn: () =>
      call<UsageReport>(`/orgs/${org}/usage`, {
        query: { by, split, from_day: fromDay.replaceAll("-", ""), to_day: toDay.replaceAll("-", "") },
      }),
    enabled: org !== "",
    // Another time of the same question keeps the last picture in place; another question's would be a wrong one.
    placeholderData: (last, asked) => (asked?.queryKey[3] === by && asked.queryKey[4] === split ? last : undefined),
  });
}
