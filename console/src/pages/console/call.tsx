/** One call: what it was, its bill with the arithmetic, every attempt, and the error if there was one. */
import { Link, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { ApiError } from "@/api/client";
import { useKeys } from "@/api/keys";
import { useCall } from "@/api/money";
import type { Bill, CallDetail } from "@/api/types";
import { attemptTitle } from "@/i18n/attempts";
import { showCount } from "@/lib/count";
import { sum } from "@/lib/money";
import { showDuration } from "@/lib/time";
import { LinkButton } from "@/parts/button";
import { Copyable } from "@/parts/copy";
import { Money, Time } from "@/parts/figures";
import { Badge, Empty, ErrorNote, PageSkeleton } from "@/parts/notes";
import { Facts, PageHeader, Section } from "@/parts/page";
import { Table } from "@/parts/table";

import { Outcome } from "./calls";

const KEYS = 200;

export function CallPage() {
  const { t } = useTranslation();
  const { id } = useParams({ from: "/console/calls/$id" });
  const call = useCall(id);
  return (
    <>
      <Link to="/console/calls" className="mb-3 inline-block text-[13px] text-accent underline underline-offset-3">
        ← {t("calls.title")}
      </Link>
      {call.error instanceof ApiError && call.error.status === 404 ? (
        <Empty title={t("calls.missing")} action={<LinkButton to="/console/calls">{t("calls.title")}</LinkButton>}>
          {t("calls.missing_text")}
        </Empty>
      ) : call.error ? (
        <ErrorNote error={call.error} onRetry={() => void call.refetch()} />
      ) : call.data ? (
        <Detail detail={call.data} />
      ) : (
        <PageSkeleton />
      )}
    </>
  );
}

function Detail({ detail }: { detail: CallDetail }) {
  const { t } = useTranslation();
  const { call } = detail;
  const keys = useKeys({}, KEYS);
  const facts: [string, React.ReactNode][] = [
    [t("calls.time"), <Time key="time" ms={call.started_ms} />],
    [t("calls.model"), <Copyable key="model" value={call.model} />],
    [t("calls.outcome"), <Outcome key="outcome" call={call} />],
    [
      t("calls.endpoint"),
      <code key="endpoint" className="font-mono text-[13px]">
        {call.endpoint}
      </code>,
    ],
    [t("calls.key"), keys.data?.data.find((key) => key.id === call.key_id)?.name ?? call.key_id],
    [t("calls.stream"), call.stream ? t("common.yes") : t("common.no")],
    [t("calls.duration"), showDuration(call.latency_ms)],
    [t("calls.first_token"), call.first_token_ms === null ? "–" : showDuration(call.first_token_ms)],
    [t("calls.input"), showCount(call.input_tokens)],
    [t("calls.output"), showCount(call.output_tokens)],
    [t("calls.cached"), showCount(call.cached_tokens)],
    [t("calls.cost"), <Money key="cost" value={call.cost_yuan} />],
  ];
  if (call.client_request_id)
    facts.push([t("calls.client_request_id"), <Copyable key="client" value={call.client_request_id} />]);
  return (
    <>
      <PageHeader title={t("calls.one")}>
        <Copyable value={call.id} label={t("calls.copy_id")} />
      </PageHeader>
      <Facts facts={facts} wide />
      {call.error && (
        <Section title={t("calls.error")}>
          <p className="rounded-md border border-bad bg-bad-soft p-3 font-mono text-[13px] whitespace-pre-wrap">
            {call.error}
          </p>
        </Section>
      )}
      <Section title={t("calls.bill")}>
        {detail.bill ? <BillView bill={detail.bill} /> : <p className="text-soft">{t("calls.no_bill")}</p>}
      </Section>
      {detail.attempts.length > 0 && (
        <Section title={t("calls.attempts")}>
          <Table
            label={t("calls.attempts")}
            rows={detail.attempts.map((attempt, number) => ({ ...attempt, number }))}
            rowKey={(attempt) => String(attempt.number)}
            empty={null}
            columns={[
              { id: "number", title: "#", cell: (attempt) => attempt.number + 1 },
              { id: "upstream", title: t("calls.upstream"), cell: (attempt) => attempt.upstream },
              {
                id: "outcome",
                title: t("calls.outcome"),
                cell: (attempt) => (
                  <Badge tone={attempt.outcome === "ok" ? "good" : "warn"}>{attemptTitle(attempt.outcome, t)}</Badge>
                ),
              },
              { id: "status", title: t("calls.status"), right: true, cell: (attempt) => attempt.status ?? "–" },
              {
                id: "latency",
                title: t("calls.duration"),
                right: true,
                cell: (attempt) => showDuration(attempt.ms),
              },
              { id: "error", title: t("calls.error"), cell: (attempt) => attempt.error ?? "" },
            ]}
          />
        </Section>
      )}
    </>
  );
}

function BillView({ bill }: { bill: Bill }) {
  const { t } = useTranslation();
  const exact = sum(bill.lines.map((line) => line.amount_yuan));
  return (
    <div className="max-w-3xl overflow-x-auto">
      <table className="w-full text-left">
        <caption className="sr-only">{t("calls.bill")}</caption>
        <thead className="text-[13px] text-faint">
          <tr>
            <th scope="col" className="py-1 font-normal">
              {t("calls.word")}
            </th>
            <th scope="col" className="py-1 pr-4 text-right font-normal">
              {t("calls.arithmetic")}
            </th>
            <th scope="col" className="py-1 text-right font-normal">
              {t("calls.amount")}
            </th>
          </tr>
        </thead>
        <tbody>
          {bill.lines.map((line) => (
            <tr key={line.word} className="border-t border-line">
              <th scope="row" className="py-1.5 pr-4 font-normal">
                {wordTitle(line.word, t)}
              </th>
              <td className="py-1.5 pr-4 text-right font-mono text-[13px] whitespace-nowrap tabular-nums">
                {showCount(line.units)}
                {line.per > 1 && ` ÷ ${showCount(line.per)}`} × <Money value={line.price_yuan} />
              </td>
              <td className="py-1.5 text-right">
                <Money value={line.amount_yuan} />
              </td>
            </tr>
          ))}
        </tbody>
        <tfoot>
          <tr className="border-t border-line-strong font-semibold">
            <th scope="row" className="py-2">
              {t("calls.total")}
            </th>
            <td className="py-2 pr-4 text-right text-[13px] font-normal text-soft">
              {exact !== bill.total_yuan && (
                <>
                  <Money value={exact} /> {t("calls.rounded_up")}
                </>
              )}
            </td>
            <td className="py-2 text-right">
              <Money value={bill.total_yuan} />
            </td>
          </tr>
        </tfoot>
      </table>
      <p className="mt-2 text-[13px] text-soft">
        {t("calls.price_version", { version: bill.price_version })} · {sourceTitle(bill.usage_source, t)}
        {bill.agrees === true && <> · {t("calls.agrees")}</>}
        {bill.agrees === false && <span className="text-bad"> · {t("calls.disagrees")}</span>}
      </p>
    </div>
  );
}

type T = ReturnType<typeof useTranslation>["t"];

const WORDS = [
  "input",
  "cache_read",
  "cache_write_5m",
  "cache_write_1h",
  "output",
  "reasoning",
  "image_in",
  "image_out",
  "video_in",
  "audio_in",
  "audio_out",
  "image",
  "second",
  "character",
  "search",
  "request",
  "batch",
] as const;

function wordTitle(word: string, t: T): string {
  const known = WORDS.find((one) => one === word);
  return known ? t(`words.${known}`) : word;
}

const SOURCES = ["vendor", "counted", "estimated"] as const;

function sourceTitle(source: string, t: T): string {
  const known = SOURCES.find((one) => one === source);
  return known ? t(`calls.source_${known}`) : source;
}
