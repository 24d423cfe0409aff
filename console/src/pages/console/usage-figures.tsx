/** The pictures of the usage page, each with the table of its numbers. */
import { lazy, Suspense, useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { useKeys } from "@/api/keys";
import type { UsageBy, UsageSplit } from "@/api/money";
import type { UsageReport, UsageRow } from "@/api/types";
import { shorten } from "@/lib/count";
import { approximate, isZero, sum, yuan, yuanTotal } from "@/lib/money";
import { largest, OTHER, stack, type Series } from "@/lib/series";
import { Money, Tokens } from "@/parts/figures";
import { Skeleton } from "@/parts/notes";
import { Table, type Column } from "@/parts/table";

const BarsChart = lazy(() => import("@/parts/bars-chart"));
const StackedChart = lazy(() => import("@/parts/stacked-chart"));

const KEYS = 200;

const axis = (value: number): string => `¥${value >= 1000 ? shorten(value) : value}`;
const writeDay = (day: string): string => day.replace(/^(\d{4})(\d{2})(\d{2})$/, "$1-$2-$3");

/** How a model or key is called: a key by its name. */
function useNames(by: UsageBy): (id: string) => string {
  const keys = useKeys({}, KEYS);
  return useMemo(
    () => (id) => (by === "key" ? keys.data?.data.find((key) => key.id === id)?.name : undefined) ?? id,
    [by, keys.data],
  );
}

function Frame({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="mt-5 rounded-lg border border-line p-3">
      <h2 className="px-1 pb-1.5 text-[13px] text-soft">{title}</h2>
      <Suspense fallback={<Skeleton className="h-72 w-full" />}>{children}</Suspense>
    </div>
  );
}

/** A bar for each model or key. */
export function BarsFigure({ rows, by }: { rows: readonly UsageRow[] | undefined; by: UsageSplit }) {
  const { t } = useTranslation();
  const name = useNames(by);
  const label = t(`usage.cost_by_${by}`);
  const bars = useMemo(() => {
    const given = rows ?? [];
    const kept = largest(
      given.map((row) => ({ name: row.name, value: approximate(row.cost_yuan) })),
      OTHER,
    );
    const others = given.filter((row) => !kept.some((one) => one.name === row.name));
    return kept.map((slice) => {
      const cost = given.find((row) => row.name === slice.name)?.cost_yuan ?? sum(others.map((row) => row.cost_yuan));
      return {
        id: slice.name,
        name: slice.name === OTHER ? t("usage.other") : name(slice.name),
        value: slice.value,
        shown: yuanTotal(cost),
        exact: yuan(cost),
      };
    });
  }, [rows, name, t]);
  if (!rows) return <Skeleton className="mt-5 h-72 w-full rounded-lg" />;
  return (
    <>
      <Frame title={label}>
        <BarsChart bars={bars} label={label} horizontal colourful axis={axis} />
      </Frame>
      <SumsTable label={label} first={t(`calls.${by}`)} rows={rows} name={name} />
    </>
  );
}

/** A bar for each day, split or whole. */
export function DaysFigure({ report, split }: { report: UsageReport | undefined; split: UsageSplit | undefined }) {
  const { t } = useTranslation();
  const nameOf = useNames(split ?? "day");
  const label = t(split ? `usage.cost_by_day_and_${split}` : "usage.cost_by_day");
  const days = useMemo(() => report?.data.map((row) => ({ day: row.name, cost: row.cost_yuan })) ?? [], [report]);
  const series = useMemo(() => {
    const parts = report?.parts.map(({ day, row }) => ({ day, id: row.name, cost: row.cost_yuan })) ?? [];
    return stack(days, parts, nameOf, t("usage.other"));
  }, [report, days, nameOf, t]);
  const names = useMemo(() => days.map(({ day }) => writeDay(day)), [days]);
  const totals = useMemo(() => days.map(({ cost }) => cost), [days]);
  const bars = useMemo(
    () =>
      days.map(({ day, cost }) => ({
        id: day,
        name: writeDay(day),
        value: approximate(cost),
        shown: yuanTotal(cost),
        exact: yuan(cost),
      })),
    [days],
  );
  if (!report) return <Skeleton className="mt-5 h-72 w-full rounded-lg" />;
  return (
    <>
      <Frame title={label}>
        {split ? (
          <StackedChart
            days={names}
            totals={totals}
            series={series}
            label={label}
            total={t("usage.total")}
            axis={axis}
          />
        ) : (
          <BarsChart bars={bars} label={label} axis={axis} />
        )}
      </Frame>
      {split ? (
        <DaysTable label={label} report={report} series={series} />
      ) : (
        <SumsTable
          label={label}
          first={t("usage.day")}
          rows={report.data.filter((row) => row.calls > 0 || !isZero(row.cost_yuan)).toReversed()}
          name={writeDay}
        />
      )}
    </>
  );
}

/** Days with calls, the latest first, each with what its series add and what they add up to. */
function DaysTable({ label, report, series }: { label: string; report: UsageReport; series: readonly Series[] }) {
  const { t } = useTranslation();
  const rows = report.data
    .map((row, at) => ({ row, at }))
    .filter(({ row }) => row.calls > 0 || !isZero(row.cost_yuan))
    .toReversed();
  const columns: Column<(typeof rows)[number]>[] = [
    { id: "day", title: t("usage.day"), className: "whitespace-nowrap", cell: ({ row }) => writeDay(row.name) },
    { id: "calls", title: t("usage.calls"), right: true, cell: ({ row }) => <Tokens count={row.calls} /> },
    ...series.map((one): Column<(typeof rows)[number]> => ({
      id: `series ${one.id}`,
      title: one.name,
      right: true,
      cell: ({ at }) => {
        const value = one.values[at] ?? "0";
        return isZero(value) ? <span className="text-faint">–</span> : <Money value={value} />;
      },
    })),
    {
      id: "total",
      title: t("usage.total"),
      right: true,
      className: "font-medium",
      cell: ({ row }) => <Money value={row.cost_yuan} />,
    },
  ];
  return (
    <div className="mt-5">
      <Table label={label} columns={columns} rows={rows} rowKey={({ row }) => row.name} empty={null} />
    </div>
  );
}

function SumsTable({
  label,
  first,
  rows,
  name,
}: {
  label: string;
  first: string;
  rows: readonly UsageRow[];
  name: (id: string) => string;
}) {
  const { t } = useTranslation();
  const columns: Column<UsageRow>[] = [
    { id: "name", title: first, cell: (row) => name(row.name) },
    { id: "calls", title: t("usage.calls"), right: true, cell: (row) => <Tokens count={row.calls} /> },
    { id: "errors", title: t("usage.errors"), right: true, cell: (row) => <Tokens count={row.errors} /> },
    { id: "input", title: t("calls.input"), right: true, cell: (row) => <Tokens count={row.input_tokens} /> },
    { id: "output", title: t("calls.output"), right: true, cell: (row) => <Tokens count={row.output_tokens} /> },
    { id: "cost", title: t("calls.cost"), right: true, cell: (row) => <Money value={row.cost_yuan} /> },
  ];
  return (
    <div className="mt-5">
      <Table label={label} columns={columns} rows={rows} rowKey={(row) => row.name} empty={null} />
    </div>
  );
}
