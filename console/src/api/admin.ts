/** What operators of the platform do and see: AI applications, upstreams, code batches, top-ups, users, settings, tokens, the whole audit log. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { call } from "./client";
import { sessionQuery } from "./session";
import type {
  AdminToken,
  AdminUser,
  App,
  AppForm,
  AuditEntry,
  BatchForm,
  CodeBatch,
  FoundWallet,
  MadeBatch,
  NewAdminToken,
  NewApp,
  Page,
  PortalSettings,
  Upstream,
  UserChange,
  Wallet,
} from "./types";

const ALL = 200;
const LOOK_MS = 5000;

function useAdminList<T>(kind: string, query: Record<string, string | number | undefined>) {
  return useQuery({
    queryKey: ["admin", kind, query],
    queryFn: ({ signal }) => call<Page<T>>(`/admin/${kind}`, { query, signal }),
    placeholderData: keepPreviousData,
  });
}

function useAdminChange<Given, Got = undefined>(
  path: (given: Given) => string,
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  touches: string,
  body?: (given: Given) => unknown,
) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (given: Given) =>
      call<Got>(`/admin/${path(given)}`, { method, ...(body ? { body: body(given) } : {}) }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["admin", touches] }),
  });
}

export const useApps = () => useAdminList<App>("apps", {});

export const useMakeApp = () =>
  useAppChange<NewApp>(
    () => "",
    "POST",
    (form) => form,
  );
export const useChangeApp = () =>
  useAppChange<{ name: string; form: AppForm }>(
    ({ name }) => name,
    "PUT",
    ({ form }) => form,
  );
export const useSwitchApp = () =>
  useAppChange<{ name: string; disabled: boolean }>(
    ({ name }) => name,
    "PATCH",
    ({ disabled }) => ({ disabled }),
  );
export const useDeleteApp = () => useAppChange<string>((name) => name, "DELETE");

/** Fetched again and again while the page is visible. */
export const useUpstreams = () =>
  useQuery({
    queryKey: ["admin", "upstreams"],
    queryFn: ({ signal }) => call<Page<Upstream>>("/admin/upstreams", { signal }),
    refetchInterval: LOOK_MS,
  });

/** The portal lists applications, too. */
function useAppChange<Given>(
  name: (given: Given) => string,
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  body?: (given: Given) => unknown,
) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (given: Given) =>
      call<App>(`/admin/apps${name(given) && `/${name(given)}`}`, { method, ...(body ? { body: body(given) } : {}) }),
    onSuccess: () =>
      Promise.all([
        queries.invalidateQueries({ queryKey: ["admin", "apps"] }),
        queries.invalidateQueries({ queryKey: ["portal"] }),
      ]),
  });
}

export const useCodeBatches = (after?: string) => useAdminList<CodeBatch>("code-batches", { limit: 50, after });
export const useAdminWallets = (q: string, after?: string) =>
  useAdminList<FoundWallet>("wallets", { limit: 50, q, after });
export const useAdminUsers = (q: string, after?: string) => useAdminList<AdminUser>("users", { limit: 50, q, after });
export const useAdminTokens = () => useAdminList<AdminToken>("tokens", { limit: ALL });
export const useAdminAudit = (action: string, after?: string) =>
  useAdminList<AuditEntry>("audit", { limit: 50, action, after });

export const useMakeBatch = () =>
  useAdminChange<BatchForm, MadeBatch>(
    () => "code-batches",
    "POST",
    "code-batches",
    (form) => form,
  );

export const useRevokeBatch = () =>
  useAdminChange<string, CodeBatch>((id) => `code-batches/${id}/revoke`, "POST", "code-batches");

/** `once` is a key of the caller's: the same one pays once, however often it is sent. */
export function useTopUp() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, once, ...body }: { id: string; once: string; amount_yuan: string; note: string }) =>
      call<Wallet>(`/admin/wallets/${id}/top-up`, { method: "POST", body, idempotencyKey: once }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["admin", "wallets"] }),
  });
}

export const useMakeToken = () =>
  useAdminChange<{ name: string; expires_ms: number | null }, NewAdminToken>(
    () => "tokens",
    "POST",
    "tokens",
    (form) => form,
  );

export const useRevokeToken = () => useAdminChange<string>((id) => `tokens/${id}`, "DELETE", "tokens");

export const useChangeUser = () =>
  useAdminChange<{ id: string; change: UserChange }, AdminUser>(
    ({ id }) => `users/${id}`,
    "PATCH",
    "users",
    ({ change }) => change,
  );

export const usePortalSettings = () =>
  useQuery({ queryKey: ["admin", "settings"], queryFn: () => call<PortalSettings>("/admin/settings") });

export function useChangeSettings() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (change: Partial<PortalSettings>) =>
      call<PortalSettings>("/admin/settings", { method: "PATCH", body: change }),
    onSuccess: async (settings) => {
      queries.setQueryData(["admin", "settings"], settings);
      await queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
    },
  });
}
