/** The organisation whose pages are open: named in the address, else the last one used, else the first. */
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";

import { recall, remember } from "@/lib/storage";

import { call } from "./client";
import { sessionQuery, useMe } from "./session";
import type { AuditEntry, Invitation, Member, Membership, NewInvitation, Org, Page, Project, Role } from "./types";

/** The open org; null for who is not signed in or belongs to none. */
export function useOrg(): Membership | null {
  const me = useMe();
  const { org } = useSearch({ strict: false });
  if (!me) return null;
  const find = (id: string | null | undefined) => me.orgs.find((one) => one.org_id === id);
  if (org && me.operator && !find(org)) return { org_id: org, org_name: org, role: "owner" };
  const found = find(org) ?? find(recall("org")) ?? me.orgs[0] ?? null;
  if (found && org === found.org_id) remember("org", found.org_id);
  return found;
}

/** The id of the open org, on pages that are shown only when there is one. */
export function useOrgId(): string {
  return useOrg()?.org_id ?? "";
}

// What each role may do, as the server decides; the pages hide what would be refused.
const MAY = {
  "org.write": ["owner", "admin"],
  "members.write": ["owner", "admin"],
  "projects.write": ["owner", "admin"],
  "keys.write": ["owner", "admin", "developer"],
  "wallets.write": ["owner", "billing"],
  "alerts.write": ["owner", "admin", "billing"],
  "audit.read": ["owner", "admin"],
} satisfies Record<string, readonly Role[]>;
export type Permission = keyof typeof MAY;

export function useMay(permission: Permission): boolean {
  const me = useMe();
  const org = useOrg();
  return me?.operator === true || (org !== null && (MAY[permission] as readonly Role[]).includes(org.role));
}

const PAGE = 100;

export function useMembers() {
  const org = useOrgId();
  return useQuery({
    queryKey: ["org", org, "members"],
    queryFn: () => call<Page<Member>>(`/orgs/${org}/members`),
  });
}

export function useInvitations(enabled: boolean) {
  const org = useOrgId();
  return useQuery({
    queryKey: ["org", org, "invitations"],
    queryFn: () => call<Page<Invitation>>(`/orgs/${org}/invitations`),
    enabled,
  });
}

export function useProjects() {
  const org = useOrgId();
  return useQuery({
    queryKey: ["org", org, "projects"],
    queryFn: () => call<Page<Project>>(`/orgs/${org}/projects`, { query: { limit: PAGE } }),
    enabled: org !== "",
  });
}

export function useAudit(filters: { action?: string; after?: string }) {
  const org = useOrgId();
  return useQuery({
    queryKey: ["org", org, "audit", filters],
    queryFn: () => call<Page<AuditEntry>>(`/orgs/${org}/audit`, { query: { ...filters, limit: 50 } }),
    placeholderData: keepPreviousData,
  });
}

/** A change in the open org, after which what it touches is fetched again. */
export function useOrgChange<Given, Got = undefined>(
  path: (given: Given) => string,
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  touches: readonly string[],
  body?: (given: Given) => unknown,
) {
  const org = useOrgId();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (given: Given) =>
      call<Got>(`/orgs/${org}${path(given)}`, { method, ...(body ? { body: body(given) } : {}) }),
    onSuccess: async () => {
      for (const kind of touches) await queries.invalidateQueries({ queryKey: ["org", org, kind] });
    },
  });
}

export const useChangeRole = () =>
  useOrgChange<{ user_id: string; role: Role }, Member>(
    ({ user_id }) => `/members/${user_id}`,
    "PATCH",
    ["members"],
    ({ role }) => ({ role }),
  );

export const useRemoveMember = () => useOrgChange<string>((id) => `/members/${id}`, "DELETE", ["members"]);

export const useInvite = () =>
  useOrgChange<{ email: string; role: Role }, NewInvitation>(
    () => "/invitations",
    "POST",
    ["invitations"],
    (given) => given,
  );

export const useWithdrawInvitation = () =>
  useOrgChange<string>((id) => `/invitations/${id}`, "DELETE", ["invitations"]);

export const useCreateProject = () =>
  useOrgChange<string, Project>(
    () => "/projects",
    "POST",
    ["projects"],
    (name) => ({ name }),
  );

export const useChangeProject = () =>
  useOrgChange<{ id: string; name: string; stores_responses: boolean }, Project>(
    ({ id }) => `/projects/${id}`,
    "PATCH",
    ["projects"],
    ({ name, stores_responses }) => ({ name, stores_responses }),
  );

export function useRenameOrg() {
  const queries = useQueryClient();
  const org = useOrgId();
  return useMutation({
    mutationFn: (name: string) => call<Org>(`/orgs/${org}`, { method: "PATCH", body: { name } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: sessionQuery.queryKey }),
  });
}
