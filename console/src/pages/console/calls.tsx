/** The calls of the organisation: filters in the address, each row opening its bill. */
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useKeys } from "@/api/keys";
import { callsCsv, useCalls } from "@/api/money";
import { useOrgId } from "@/api/orgs";
import type { Call } from "@/api/types";
import { compact } from "@/lib/filters";
import { useNow } from "@/lib/now";
import { DAY_MS, dayInput, showDuration, startOfDay } from "@/lib/time";
import { AnchorButton, Button } from "@/parts/button";
import { DateRange, Select } from "@/parts/field";
import { Money, Time, Tokens } from "@/parts/figures";
import { Icon } from "@/parts/icons";
import { Badge, Empty, type Tone } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { SearchField } from "@/parts/search-field";
import { Pager, Table, type Column } from "@/parts/table";
import { LinkButton } from "@/parts/button";

import { OUTCOMES, type CallSearch } from "./search";

const PAGE = 50;
const KEYS = 200;

export function CallsPage() {
  const { t } = useTranslation();
  const search: CallSearch = useSearch({ from: "/console/calls" });
  const navigate = useNavigate({ from: "/console/calls" });
  const org = useOrgId();
  const now = useNow();
  const keys = useKeys({}, KEYS);
  const filters = compact({
    q: search.q,
    model: search.model,
    key_id: search.key_id,
    project_id: search.project_id,
    outcome: search.outcome,
    status: search.status,
    sort: search.sort,
    after: search.after,
    from_ms: startOfDay(search.from) ?? undefined,
    to_ms: search.to ? (startOfDay(search.to) ?? 0) + DAY_MS : undefined,
  });
  const calls = useCalls(filters, PAGE);
  const columns = useColumns((id) => keys.data?.data.find((key) => key.id === id)?.name ?? id);
  const set = (change: Partial<CallSearch>) =>
    void navigate({ search: (old) => compact({ ...old, after: undefined, ...change }), replace: true });
  const filtered = Object.keys(filters).some((name) => name !== "sort" && name !== "after");
  return (
    <>
      <PageHeader
        title={t("calls.title")}
        actions={
          <AnchorButton href={callsCsv(org, filters)} download>
            <Icon name="download" className="size-3.5" />
            CSV
          </AnchorButton>
        }
      >
        {t("calls.lead")}
      </PageHeader>
      <div className="mb-4 flex flex-wrap items-end gap-2">
        <SearchField label={t("calls.search")} value={search.q ?? ""} onChange={(q) => set({ q })} />
        <div className="w-44">
          <SearchField label={t("calls.model")} value={search.model ?? ""} onChange={(model) => set({ model })} />
        </div>
        <div className="w-44">
          <Select
            label={t("calls.key")}
            bare
            value={search.key_id ?? ""}
            options={[
              { value: "", label: t("calls.every_key") },
              ...(keys.data?.data ?? []).map((key) => ({ value: key.id, label: key.name })),
            ]}
            onChange={(event) => set({ key_id: event.target.value })}
          />
        </div>
        <div className="w-40">
          <Select
            label={t("calls.outcome")}
            bare
            value={search.outcome ?? ""}
            options={[
              { value: "", label: t("calls.every_outcome") },
              ...OUTCOMES.map((outcome) => ({ value: outcome, label: t(`calls.outcome_${outcome}`) })),
            ]}
            onChange={(event) => set({ outcome: OUTCOMES.find((one) => one === event.target.value) })}
          />
        </div>
        <DateRange
          from={search.from ?? ""}
          to={search.to ?? ""}
          today={dayInput(now)}
          onChange={(change) => set(change)}
        />
        {filtered && (
          <Button
            kind="quiet"
            onClick={() => void navigate({ search: (old) => compact({ org: old.org, sort: old.sort }) })}
          >
            {t("table.clear")}
          </Button>
        )}
      </div>
      <Table
        label={t("calls.title")}
        columns={columns}
        rows={calls.data?.data}
        rowKey={(row) => row.id}
        sort={search.sort ?? "-started"}
        onSort={(sort) => set({ sort })}
        error={calls.error}
        onRetry={() => void calls.refetch()}
        stale={calls.isPlaceholderData}
        skeletonRows={15}
        empty={
          filtered ? (
            <Empty title={t("calls.none_found")}>{t("calls.none_found_text")}</Empty>
          ) : (
            <Empty title={t("calls.none")} action={<LinkButton to="/docs">{t("calls.none_action")}</LinkButton>}>
              {t("calls.none_text")}
            </Empty>
          )
        }
      />
      <Pager
        total={calls.data?.total}
        more={calls.data?.more ?? false}
        shown={calls.data?.data.length}
        next={calls.data?.next}
        atStart={!search.after}
        onFirst={() => set({})}
        onNext={(after) => set({ after })}
      />
    </>
  );
}

function useColumns(keyName: (id: string) => string): Column<Call>[] {
  const { t } = useTranslation();
  return [
    {
      id: "at",
      title: t("calls.time"),
      sort: "started",
      cell: (row) => (
        <Link to="/console/calls/$id" params={{ id: row.id }} className="text-accent hover:underline">
          <Time ms={row.started_ms} />
        </Link>
      ),
    },
    {
      id: "model",
      title: t("calls.model"),
      cell: (row) => <span className="font-mono text-[13px] whitespace-nowrap">{row.model}</span>,
    },
    { id: "key", title: t("calls.key"), wide: true, cell: (row) => keyName(row.key_id) },
    { id: "outcome", title: t("calls.outcome"), cell: (row) => <Outcome call={row} /> },
    { id: "input", title: t("calls.input"), right: true, cell: (row) => <Tokens count={row.input_tokens} /> },
    { id: "output", title: t("calls.output"), right: true, cell: (row) => <Tokens count={row.output_tokens} /> },
    {
      id: "duration",
      title: t("calls.duration"),
      sort: "latency",
      right: true,
      cell: (row) => showDuration(row.latency_ms),
    },
    { id: "cost", title: t("calls.cost"), sort: "cost", right: true, cell: (row) => <Money value={row.cost_yuan} /> },
  ];
}

export function Outcome({ call }: { call: Pick<Call, "outcome" | "status"> }) {
  const { t } = useTranslation();
  const known = OUTCOMES.find((one) => one === call.outcome);
  const tone: Tone = call.outcome === "ok" ? "good" : call.status >= 500 || call.outcome === "crashed" ? "bad" : "warn";
  return (
    <span className="inline-flex items-center gap-1.5">
      <Badge tone={tone}>{known ? t(`calls.outcome_${known}`) : call.outcome}</Badge>
      <span className="text-[12px] text-faint tabular-nums">{call.status || ""}</span>
    </span>
  );
}
