/** What of an operator's list is in the address. */
import { useNavigate, useSearch } from "@tanstack/react-router";

import { compact } from "@/lib/filters";
import type { ListSearch } from "@/pages/console/search";

export type ListPath = "/admin/wallets" | "/admin/users" | "/admin/audit";

export function useListSearch(from: ListPath) {
  const search: ListSearch = useSearch({ from });
  const navigate = useNavigate();
  const set = (next: ListSearch) => void navigate({ to: from, search: compact(next), replace: true });
  return { search, set };
}
