/** What was used and spent, by day, model or key: a chart, and the same numbers as a table below it. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useUsage } from "@/api/money";
import type { UsageRow } from "@/api/types";
import { compact } from "@/lib/filters";
import { sum } from "@/lib/money";
import { useNow } from "@/lib/now";
import { DAY_MS } from "@/lib/time";
import { LinkButton } from "@/parts/button";
import { DateRange } from "@/parts/field";
import { Money, Tokens } from "@/parts/figures";
import { Empty, ErrorNote, Skeleton } from "@/parts/notes";
import { PageHeader, Stat } from "@/parts/page";
import { Segmented } from "@/parts/tabs";

import type { UsageSearch } from "./search";
import { BarsFigure, DaysFigure } from "./usage-figures";

const DAYS = 30;
const SPANS = ["7", "30", "90"] as const;
const utcDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10);

export function UsagePage() {
  const { t } = useTranslation();
  const search: UsageSearch = useSearch({ from: "/console/usage" });
  const navigate = useNavigate({ from: "/console/usage" });
  const now = useNow();
  const today = utcDay(now);
  const since = (days: number): string => utcDay(now - (days - 1) * DAY_MS);
  const { by = "day", split = "model", from = since(DAYS), to = today } = search;
  const part = by === "day" && split !== "none" ? split : undefined;
  const usage = useUsage(by, part, from, to);
  const set = (change: Partial<UsageSearch>) =>
    void navigate({ search: (old) => compact({ ...old, ...change }), replace: true });
  const used = usage.data?.data.some((row) => row.calls > 0);
  const span = to === today ? SPANS.find((days) => from === since(Number(days))) : undefined;
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
        {by === "day" && (
          <Segmented
            label={t("usage.split")}
            value={split}
            choices={(["model", "key", "none"] as const).map((value) => ({
              value,
              label: t(`usage.split_${value}`),
            }))}
            onChange={(next) => set({ split: next === "model" ? undefined : next })}
          />
        )}
        <span className="flex flex-wrap items-end gap-3 lg:ml-auto">
          <Segmented
            label={t("usage.span")}
            value={span ?? ""}
            choices={SPANS.map((value) => ({ value, label: t("usage.last_days", { count: Number(value) }) }))}
            onChange={(days) => set({ from: Number(days) === DAYS ? undefined : since(Number(days)), to: undefined })}
          />
          <DateRange from={from} to={to} today={today} onChange={(change) => set(change)} />
        </span>
      </div>
      {usage.error ? (
        <ErrorNote error={usage.error} onRetry={() => void usage.refetch()} />
      ) : usage.data && !used ? (
        <div className="rounded-lg border border-line">
          <Empty title={t("usage.none")} action={<LinkButton to="/docs">{t("calls.none_action")}</LinkButton>}>
            {t("usage.none_text")}
          </Empty>
        </div>
      ) : (
        <div className={usage.isPlaceholderData ? "opacity-60" : undefined} aria-busy={usage.isPlaceholderData}>
          <Totals rows={usage.data?.data} />
          {by === "day" ? (
            <DaysFigure report={usage.data} split={part} />
          ) : (
            <BarsFigure rows={usage.data?.data} by={by} />
          )}
          <p className="mt-3 text-[13px] text-faint">{t("usage.utc")}</p>
        </div>
      )}
    </>
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
