/** Jobs of the open org; while one is under way the list is fetched again and again. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { call } from "./client";
import { useOrgChange, useOrgId } from "./orgs";
import type { Job, Page } from "./types";

const LOOK_MS = 3000;

export const isLive = (job: Job): boolean => job.state === "queued" || job.state === "running";

export function useJobs(filters: Record<string, string>, limit: number) {
  const org = useOrgId();
  return useQuery({
    queryKey: ["org", org, "jobs", filters, limit],
    queryFn: () => call<Page<Job>>(`/orgs/${org}/jobs`, { query: { ...filters, limit } }),
    placeholderData: keepPreviousData,
    refetchInterval: (query) => (query.state.data?.data.some(isLive) ? LOOK_MS : false),
  });
}

export const useCancelJob = () => useOrgChange<string, Job>((id) => `/jobs/${id}/cancel`, "POST", ["jobs"]);
