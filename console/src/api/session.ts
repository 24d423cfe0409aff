/** Who is signed in, and what every page begins with. */
import { queryOptions, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { call, setCsrfToken } from "./client";
import type { Invited, Me, Session, SignUpForm } from "./types";

export const sessionQuery = queryOptions({
  queryKey: ["session"],
  queryFn: async () => keep(await call<Session>("/session")),
  staleTime: 5 * 60_000,
});

function keep(session: Session): Session {
  setCsrfToken(session.csrf_token);
  return session;
}

export const useSession = () => useQuery(sessionQuery);

/** The address that samples and SDKs use: what the server calls itself, or where this page came from. */
export function useBaseUrl(): string {
  return useSession().data?.base_url.replace(/\/$/, "") ?? window.location.origin;
}

/** The person, on pages that only who is signed in sees. */
export function useMe(): Me | null {
  return useSession().data?.user ?? null;
}

interface Credentials {
  email: string;
  password: string;
}

/** What does not depend on who is signed in; an invitation that was just accepted is gone when asked for again. */
const ANYBODYS: readonly unknown[] = ["session", "invitation"];

/** Everything else that was fetched belongs to who was signed in before. */
function useEnter<T>(enter: (given: T) => Promise<Session>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: enter,
    onSuccess: (session) => {
      queries.removeQueries({ predicate: (query) => !ANYBODYS.includes(query.queryKey[0]) });
      queries.setQueryData(sessionQuery.queryKey, keep(session));
    },
  });
}

export const useSignIn = () =>
  useEnter((given: Credentials) => call<Session>("/session", { method: "POST", body: given }));

export const useSignUp = () =>
  useEnter((given: SignUpForm) => call<Session>("/sign-up", { method: "POST", body: given }));

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => call<undefined>("/session", { method: "DELETE" }),
    onSettled: async () => {
      queries.removeQueries({ predicate: (query) => query.queryKey[0] !== "session" });
      await queries.resetQueries({ queryKey: sessionQuery.queryKey });
    },
  });
}

export const useChangePassword = () =>
  useMutation({
    mutationFn: (given: { current: string; password: string }) =>
      call<undefined>("/password", { method: "POST", body: given }),
  });

export function useInvitation(token: string) {
  return useQuery({
    queryKey: ["invitation", token],
    queryFn: () => call<Invited>(`/invitations/${encodeURIComponent(token)}`),
  });
}

export const useAcceptInvitation = () =>
  useEnter((token: string) => call<Session>(`/invitations/${encodeURIComponent(token)}/accept`, { method: "POST" }));
