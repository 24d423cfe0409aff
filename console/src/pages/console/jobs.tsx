/** The jobs of the organisation: how far each is, what it cost, and its results. */
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { isLive, useCancelJob, useJobs } from "@/api/jobs";
import { useMay } from "@/api/orgs";
import type { Job } from "@/api/types";
import { compact } from "@/lib/filters";
import { Button } from "@/parts/button";
import { Copyable } from "@/parts/copy";
import { Select } from "@/parts/field";
import { Money, Time } from "@/parts/figures";
import { Badge, Empty, ErrorNote, type Tone } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { Pager, Table, type Column } from "@/parts/table";
import { useSay } from "@/parts/toast";

import { JOB_KINDS, JOB_STATES, type JobSearch } from "./search";

const PAGE = 50;

export function JobsPage() {
  const { t } = useTranslation();
  const search: JobSearch = useSearch({ from: "/console/jobs" });
  const navigate = useNavigate({ from: "/console/jobs" });
  const jobs = useJobs(compact({ kind: search.kind, state: search.state, after: search.after }), PAGE);
  const cancel = useCancelJob();
  const say = useSay();
  const mayCancel = useMay("keys.write");
  const set = (change: Partial<JobSearch>) =>
    void navigate({ search: (old) => compact({ ...old, after: undefined, ...change }), replace: true });
  const columns = useColumns(
    mayCancel ? (job) => cancel.mutate(job.id, { onSuccess: () => say(t("jobs.cancelled")) }) : undefined,
    cancel.isPending ? cancel.variables : undefined,
  );
  const filtered = Boolean(search.kind || search.state);
  return (
    <>
      <PageHeader title={t("jobs.title")}>{t("jobs.lead")}</PageHeader>
      <div className="mb-4 flex flex-wrap items-end gap-2">
        <div className="w-40">
          <Select
            label={t("jobs.kind")}
            bare
            value={search.kind ?? ""}
            options={[
              { value: "", label: t("jobs.every_kind") },
              ...JOB_KINDS.map((kind) => ({ value: kind, label: t(`jobs.kind_${kind}`) })),
            ]}
            onChange={(event) => set({ kind: JOB_KINDS.find((one) => one === event.target.value) })}
          />
        </div>
        <div className="w-40">
          <Select
            label={t("jobs.state")}
            bare
            value={search.state ?? ""}
            options={[
              { value: "", label: t("jobs.every_state") },
              ...JOB_STATES.map((state) => ({ value: state, label: t(`jobs.state_${state}`) })),
            ]}
            onChange={(event) => set({ state: JOB_STATES.find((one) => one === event.target.value) })}
          />
        </div>
      </div>
      {cancel.error && <ErrorNote error={cancel.error} />}
      <Table
        label={t("jobs.title")}
        columns={columns}
        rows={jobs.data?.data}
        rowKey={(job) => job.id}
        error={jobs.error}
        onRetry={() => void jobs.refetch()}
        stale={jobs.isPlaceholderData}
        empty={
          filtered ? (
            <Empty title={t("jobs.none_found")}>{t("jobs.none_found_text")}</Empty>
          ) : (
            <Empty title={t("jobs.none")}>{t("jobs.none_text")}</Empty>
          )
        }
      />
      <Pager
        shown={jobs.data?.data.length}
        next={jobs.data?.next}
        atStart={!search.after}
        onFirst={() => set({})}
        onNext={(after) => set({ after })}
      />
    </>
  );
}

function useColumns(onCancel: ((job: Job) => void) | undefined, busy: string | undefined): Column<Job>[] {
  const { t } = useTranslation();
  return [
    {
      id: "submitted",
      title: t("jobs.submitted"),
      cell: (job) => (
        <>
          <Time ms={job.created_ms} />
          <span className="block text-[13px] text-soft">
            <Copyable value={job.id} show={`…${job.id.slice(-8)}`} />
          </span>
        </>
      ),
    },
    { id: "kind", title: t("jobs.kind"), cell: (job) => t(`jobs.kind_${job.kind}`) },
    {
      id: "model",
      title: t("jobs.model"),
      cell: (job) => <span className="font-mono text-[13px] whitespace-nowrap">{job.model}</span>,
    },
    { id: "state", title: t("jobs.state"), cell: (job) => <State job={job} /> },
    {
      id: "results",
      title: t("jobs.results"),
      cell: (job) => (
        <ul className="text-[13px]">
          {job.files.map((file) => (
            <li key={file.name}>
              <a href={file.path} target="_blank" rel="noreferrer" className="text-accent hover:underline">
                {file.name}
              </a>
            </li>
          ))}
        </ul>
      ),
    },
    {
      id: "cost",
      title: t("jobs.cost"),
      right: true,
      cell: (job) =>
        job.cost_yuan === null ? (
          <span className="text-faint">–</span>
        ) : (
          <Link
            to="/console/calls/$id"
            params={{ id: job.id }}
            title={t("jobs.bill")}
            className="text-accent hover:underline"
          >
            <Money value={job.cost_yuan} />
          </Link>
        ),
    },
    {
      id: "act",
      title: "",
      right: true,
      cell: (job) =>
        onCancel && isLive(job) ? (
          <Button kind="quiet" busy={busy === job.id} onClick={() => onCancel(job)}>
            {t("jobs.cancel")}
          </Button>
        ) : null,
    },
  ];
}

const TONES: Record<string, Tone> = { succeeded: "good", failed: "bad", running: "accent" };

function State({ job }: { job: Job }) {
  const { t } = useTranslation();
  const known = JOB_STATES.find((one) => one === job.state);
  return (
    <>
      <Badge tone={TONES[job.state] ?? "neutral"}>{known ? t(`jobs.state_${known}`) : job.state}</Badge>
      {job.state === "running" && <span className="ms-1.5 text-[12px] text-faint tabular-nums">{job.percent}%</span>}
      {job.error && <span className="block max-w-72 text-[13px] break-words text-soft">{job.error}</span>}
    </>
  );
}
