/** API keys of the open org. A secret is in the answer to its creation or rotation and nowhere else. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { call } from "./client";
import { useOrgChange, useOrgId } from "./orgs";
import type { ApiKey, CreatedKey, KeyForm, KeyPatch, Page, SessionKey } from "./types";

export interface KeyFilters {
  q?: string;
  project_id?: string;
  after?: string;
}

export function useKeys(filters: KeyFilters = {}, limit = 50) {
  const org = useOrgId();
  return useQuery({
    queryKey: ["org", org, "keys", filters, limit],
    queryFn: ({ signal }) => call<Page<ApiKey>>(`/orgs/${org}/keys`, { query: { ...filters, limit }, signal }),
    enabled: org !== "",
  });
}

export const useCreateKey = () =>
  useOrgChange<KeyForm, CreatedKey>(
    () => "/keys",
    "POST",
    ["keys", "wallets", "projects"],
    (given) => given,
  );

export const useEditKey = () =>
  useOrgChange<{ id: string; change: KeyPatch }, ApiKey>(
    ({ id }) => `/keys/${id}`,
    "PATCH",
    ["keys"],
    ({ change }) => change,
  );

export const useRotateKey = () => useOrgChange<string, CreatedKey>((id) => `/keys/${id}/rotate`, "POST", ["keys"]);
export const useDisableKey = () => useOrgChange<string, ApiKey>((id) => `/keys/${id}/disable`, "POST", ["keys"]);
export const useEnableKey = () => useOrgChange<string, ApiKey>((id) => `/keys/${id}/enable`, "POST", ["keys"]);

const SPARE_MS = 30_000;

/** A key for the page's own calls: kept in memory, made again shortly before it ends, or when more is allowed it. */
export function useSessionKey() {
  const org = useOrgId();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (capYuan?: string): Promise<SessionKey> => {
      const known = queries.getQueryData<SessionKey>(["session-key", org]);
      if (known && capYuan === undefined && known.expires_ms > Date.now() + SPARE_MS) return known;
      const body = capYuan === undefined ? {} : { cap_yuan: capYuan };
      const made = await call<SessionKey>(`/orgs/${org}/session-key`, { method: "POST", body });
      queries.setQueryData(["session-key", org], made);
      return made;
    },
  });
}
