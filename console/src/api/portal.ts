/** The public pages' data: the tree, pages, models, prices, search. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";

import { call } from "./client";
import type { DocPage, Home, ModelCard, ModelPage, SearchHit, StatusEntry, TreeOut } from "./types";

const STALE_MS = 5 * 60_000;

function useLanguage(): string {
  return useTranslation().i18n.language;
}

export function useTree() {
  const lang = useLanguage();
  return useQuery({
    queryKey: ["portal", "tree", lang],
    queryFn: () => call<TreeOut>("/portal/tree", { query: { lang } }),
    staleTime: STALE_MS,
  });
}

export function useDocPage(slug: string) {
  const lang = useLanguage();
  return useQuery({
    queryKey: ["portal", "page", lang, slug],
    queryFn: () => call<DocPage>(`/portal/pages/${encodePath(slug)}`, { query: { lang } }),
    staleTime: STALE_MS,
  });
}

export function useHome() {
  const lang = useLanguage();
  return useQuery({
    queryKey: ["portal", "home", lang],
    queryFn: () => call<Home>("/portal/home", { query: { lang } }),
    staleTime: STALE_MS,
  });
}

export interface ModelFilters {
  q?: string;
  vendor?: string[];
  kind?: string[];
  series?: string[];
  capability?: string[];
  region?: string[];
  sort?: string;
  after?: string;
}

export function useModels(filters: ModelFilters, limit: number) {
  const lang = useLanguage();
  return useQuery({
    queryKey: ["portal", "models", lang, filters, limit],
    queryFn: ({ signal }) => call<ModelPage>("/portal/models", { query: { ...filters, limit, lang }, signal }),
    placeholderData: keepPreviousData,
    staleTime: STALE_MS,
  });
}

export function useModel(id: string) {
  const lang = useLanguage();
  return useQuery({
    queryKey: ["portal", "model", lang, id],
    queryFn: () => call<ModelCard>(`/portal/models/${encodePath(id)}`, { query: { lang } }),
    staleTime: STALE_MS,
  });
}

export function useSearch(q: string) {
  const lang = useLanguage();
  const words = q.trim();
  return useQuery({
    queryKey: ["portal", "search", lang, words],
    queryFn: async ({ signal }) =>
      (await call<{ data: SearchHit[] }>("/portal/search", { query: { q: words, lang }, signal })).data,
    enabled: words !== "",
    placeholderData: keepPreviousData,
    staleTime: STALE_MS,
  });
}

/** Encode the parts of a path whose slashes stay. */
const encodePath = (path: string): string => path.split("/").map(encodeURIComponent).join("/");

export function useStatusCodes() {
  const lang = useLanguage();
  return useQuery({
    queryKey: ["portal", "status-codes", lang],
    queryFn: async () => (await call<{ data: StatusEntry[] }>("/portal/status-codes", { query: { lang } })).data,
    staleTime: STALE_MS,
  });
}
