/** What was used and spent, by day, model or key: a chart, and the same as a table. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useMemo } from "react";
import { useTranslation } from "react-i18next";

import { useKeys } from "@/api/keys";
import { useUsage, type UsageBy } from "@/api/money";
import type { UsageRow } from "@/api/types";
import { shorten } from "@/lib/count";
import { compact } from "@/lib/filters";
import { approximate, isZero, sum, yuanTotal } from "@/lib/money";
import { useNow } from "@/lib/now";
import { largest } from "@/lib/series";
import { DAY_MS } from "@/lib/time";
import { LinkButton } from "@/parts/button";
import { Input } from "@/parts/field";
import { Money, Tokens } from "@/parts/figures";
import { Empty, ErrorNote, Skeleton } from "@/parts/notes";
import { PageHeader, Stat } from "@/parts/page";
import { Table, type Column } from "@/parts/table";
import { Segmented } from "@/parts/tabs";

import type { UsageSearch } from "./search";

const BarsChart = lazy(() => import("@/parts/chart"));

const DAYS = 30;
const KEYS = 200;
const utcDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

export function UsagePage() {
  const { t } = useTranslation();
  const search: UsageSearch = useSearch({ from: "/console/usage" });
  const navigate = useNavigate({ from: "/console/usage" });
  const now = useNow();
  const today = utcDay(now);
  const { by = "day", from = utcDay(now - (DAYS - 1) * DAY_MS), to = today, as = "chart" } = search;
  const usage = useUsage(by, from, to);
  const name = useNames(by);
  const set = (change: Partial<UsageSearch>) =>
    void navigate({ search: (old) => compact({ ...old, ...change }), replace: true });
  const rows = usage.data?.data;
  const used = rows?.some((row) => row.calls > 0);
  return (
    <>
      <PageHeader title={t("usage.title")}>{t("usage.lead")}</PageHeader>
      <div className="mb-5 flex flex-wrap items-end gap-3">
        <Segmented
          label={t("usage.by")}
          value={by}
          choices={(["day", "model", "key"] as const).map((value) => ({ value, label: t(`usage.by_${value}`) }))}
          onChange={(next) => set({ by: next })}
        />
        <div className="w-40">
          <Input
            label={t("calls.from")}
            bare
            type="date"
            value={from}
            max={to}
            onChange={(event) => set({ from: event.target.value })}
          />
        </div>
        <div className="w-40">
          <Input
            label={t("calls.to")}
            bare
            type="date"
            value={to}
            min={from}
            max={today}
            onChange={(event) => set({ to: event.target.value })}
          />
        </div>
        <span className="ml-auto">
          <Segmented
            label={t("models.view")}
            value={as}
            choices={[
              { value: "chart", label: t("usage.chart") },
              { value: "table", label: t("models.table") },
            ]}
            onChange={(next) => set({ as: next })}
          />
        </span>
      </div>
      {usage.error ? (
        <ErrorNote error={usage.error} onRetry={() => void usage.refetch()} />
      ) : rows && !used ? (
        <div className="rounded-lg border border-line">
          <Empty title={t("usage.none")} action={<LinkButton to="/docs">{t("calls.none_action")}</LinkButton>}>
            {t("usage.none_text")}
          </Empty>
        </div>
      ) : (
        <>
          <Totals rows={rows} />
          {as === "chart" ? <Chart rows={rows} by={by} name={name} /> : <UsageTable rows={rows} by={by} name={name} />}
          <p className="mt-3 text-[13px] text-faint">{t("usage.utc")}</p>
        </>
      )}
    </>
  );
}

/** How a row is called: a day as it is written, a key by its name. */
function useNames(by: UsageBy): (row: UsageRow) => string {
  const keys = useKeys({}, KEYS);
  return useMemo(
    () => (row) =>
      by === "day"
        ? row.name.replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3")
        : ((by === "key" ? keys.data?.data.find((key) => key.id === row.name)?.name : undefined) ?? row.name),
    [by, keys.data],
  );
}

function Totals({ rows }: { rows: readonly UsageRow[] | undefined }) {
  const { t } = useTranslation();
  if (!rows) return <Skeleton className="h-24 w-full rounded-lg" />;
  const add = (of: (row: UsageRow) => number): number => rows.reduce((total, row) => total + of(row), 0);
  return (
    <div className="grid grid-cols-2 gap-3 lg:grid-cols-4">
      <Stat name={t("calls.cost")}>
        <Money value={sum(rows.map((row) => row.cost_yuan))} total />
      </Stat>
      <Stat name={t("usage.calls")} hint={t("usage.failed", { count: add((row) => row.errors) })}>
        <Tokens count={add((row) => row.calls)} />
      </Stat>
      <Stat name={t("calls.input")}>
        <Tokens count={add((row) => row.input_tokens)} />
      </Stat>
      <Stat name={t("calls.output")}>
        <Tokens count={add((row) => row.output_tokens)} />
      </Stat>
    </div>
  );
}

const axis = (value: number): string => `¥${value >= 1000 ? shorten(value) : value}`;

function Chart({
  rows,
  by,
  name,
}: {
  rows: readonly UsageRow[] | undefined;
  by: UsageBy;
  name: (row: UsageRow) => string;
}) {
  const { t } = useTranslation();
  const bars = useMemo(() => {
    const given = rows ?? [];
    const slices = given.map((row) => ({ name: name(row), value: approximate(row.cost_yuan) }));
    const kept = by === "day" ? slices : largest(slices, t("usage.other"));
    const rest = (shown: readonly { name: string }[]): string =>
      sum(given.filter((row) => !shown.some((one) => one.name === name(row))).map((row) => row.cost_yuan));
    return kept.map((slice) => {
      const row = given.find((one) => name(one) === slice.name);
      return { ...slice, shown: yuanTotal(row ? row.cost_yuan : rest(kept)) };
    });
  }, [rows, by, name, t]);
  if (!rows) return <Skeleton className="mt-5 h-72 w-full rounded-lg" />;
  return (
    <div className="mt-5 rounded-lg border border-line p-3">
      <h2 className="px-1 pb-1 text-[13px] text-soft">{t(`usage.cost_by_${by}`)}</h2>
      <Suspense fallback={<Skeleton className="h-72 w-full" />}>
        <BarsChart
          bars={bars}
          label={t(`usage.cost_by_${by}`)}
          horizontal={by !== "day"}
          colourful={by === "model"}
          axis={axis}
        />
      </Suspense>
    </div>
  );
}

function UsageTable({
  rows,
  by,
  name,
}: {
  rows: readonly UsageRow[] | undefined;
  by: UsageBy;
  name: (row: UsageRow) => string;
}) {
  const { t } = useTranslation();
  const shown = by === "day" ? rows?.filter((row) => row.calls > 0 || !isZero(row.cost_yuan)).toReversed() : rows;
  const columns: Column<UsageRow>[] = [
    { id: "name", title: t(`usage.by_${by}`), cell: name },
    { id: "calls", title: t("usage.calls"), right: true, cell: (row) => <Tokens count={row.calls} /> },
    { id: "errors", title: t("usage.errors"), right: true, cell: (row) => <Tokens count={row.errors} /> },
    { id: "input", title: t("calls.input"), right: true, cell: (row) => <Tokens count={row.input_tokens} /> },
    { id: "output", title: t("calls.output"), right: true, cell: (row) => <Tokens count={row.output_tokens} /> },
    { id: "cost", title: t("calls.cost"), right: true, cell: (row) => <Money value={row.cost_yuan} /> },
  ];
  return (
    <div className="mt-5">
      <Table label={t(`usage.cost_by_${by}`)} columns={columns} rows={shown} rowKey={(row) => row.name} empty={null} />
    </div>
  );
}
