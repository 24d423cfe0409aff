/** Who changed what, and from where. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useAudit } from "@/api/orgs";
import type { AuditEntry, Page } from "@/api/types";
import { currentLanguage } from "@/i18n";
import { GROUPS, PLATFORM_GROUPS, wordAction, wordField, wordGroup, wordValue, type Group } from "@/i18n/audit";
import { changesOf, showValue } from "@/lib/audit";
import { compact } from "@/lib/filters";
import { showTime } from "@/lib/time";
import { Button } from "@/parts/button";
import { Copyable } from "@/parts/copy";
import { Select } from "@/parts/field";
import { Time } from "@/parts/figures";
import { Empty } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { Pager, Table, type Column } from "@/parts/table";

export function AuditPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/console/audit" });
  const navigate = useNavigate({ from: "/console/audit" });
  const audit = useAudit(compact({ action: search.q, after: search.after }));
  const groups = (Object.keys(GROUPS) as Group[]).filter((group) => !PLATFORM_GROUPS.includes(group));
  return (
    <>
      <PageHeader title={t("audit.title")}>{t("audit.lead")}</PageHeader>
      <AuditTable
        page={audit.data}
        error={audit.error}
        onRetry={() => void audit.refetch()}
        stale={audit.isPlaceholderData}
        groups={groups}
        group={search.q}
        onGroup={(q) => void navigate({ search: (old) => compact({ org: old.org, q }), replace: true })}
        after={search.after}
        onPage={(after) => void navigate({ search: (old) => compact({ ...old, after }) })}
      />
    </>
  );
}

export function AuditTable({
  page,
  error,
  onRetry,
  stale,
  groups,
  group,
  onGroup,
  after,
  onPage,
}: {
  page: Page<AuditEntry> | undefined;
  error: unknown;
  onRetry: () => void;
  stale: boolean;
  groups: readonly Group[];
  group: string | undefined;
  onGroup: (group: string) => void;
  after: string | undefined;
  onPage: (after?: string) => void;
}) {
  const { t } = useTranslation();
  const language = currentLanguage();
  const columns: Column<AuditEntry>[] = [
    { id: "at", title: t("calls.time"), cell: (entry) => <Time ms={entry.at_ms} /> },
    {
      id: "actor",
      title: t("audit.actor"),
      cell: (entry) => (
        <>
          <span title={entry.actor_id}>{entry.actor_name || entry.actor_id}</span>
          {entry.actor_kind !== "user" && (
            <span className="block text-[13px] text-faint">{t(`audit.by_${entry.actor_kind}`)}</span>
          )}
        </>
      ),
    },
    {
      id: "action",
      title: t("audit.action"),
      cell: (entry) => (
        <>
          <span className="whitespace-nowrap" title={entry.action}>
            {wordAction(entry.action, language)}
          </span>
          <span className="block text-[13px] text-soft">
            <Copyable value={entry.target} show={shortId(entry.target)} />
          </span>
        </>
      ),
    },
    {
      id: "detail",
      title: t("audit.detail"),
      cell: (entry) => <Change entry={entry} />,
    },
    {
      id: "address",
      title: t("audit.address"),
      cell: (entry) => <span className="font-mono text-[13px]">{entry.address}</span>,
    },
  ];
  return (
    <>
      <div className="mb-4 w-56">
        <Select
          label={t("audit.about")}
          bare
          value={group ?? ""}
          options={[
            { value: "", label: t("audit.everything") },
            ...groups.map((value) => ({ value, label: wordGroup(value, language) })),
          ]}
          onChange={(event) => onGroup(event.target.value)}
        />
      </div>
      <Table
        label={t("audit.title")}
        columns={columns}
        rows={page?.data}
        rowKey={(entry) => entry.id}
        error={error}
        onRetry={onRetry}
        stale={stale}
        empty={
          group ? (
            <Empty
              title={t("audit.none_found")}
              action={<Button onClick={() => onGroup("")}>{t("table.clear")}</Button>}
            >
              {t("audit.none_found_text")}
            </Empty>
          ) : (
            <Empty title={t("audit.none")}>{t("audit.none_text")}</Empty>
          )
        }
      />
      <Pager shown={page?.data.length} next={page?.next} atStart={!after} onFirst={() => onPage()} onNext={onPage} />
    </>
  );
}

/** Ids are long; their beginnings are the same for all that was made in one minute. */
const shortId = (text: string): string => text.replace(/^([a-z]+_)[0-9a-f]{16,}([0-9a-f]{8})$/, "$1…$2");

/** What was, and what is: one line per field. */
function Change({ entry }: { entry: AuditEntry }) {
  const { t } = useTranslation();
  const language = currentLanguage();
  const locale = language === "zh" ? "zh-CN" : "en-GB";
  const changes = changesOf(entry.before, entry.after, [entry.target, entry.actor_id, entry.at_ms, entry.org_id]);
  if (changes.length === 0) return <span className="text-faint">–</span>;
  const show = (name: string, value: unknown): string =>
    showValue(name, value, {
      time: (ms) => showTime(ms, locale),
      word: (text) => shortId(wordValue(name, text, language)),
      yes: t("common.yes"),
      no: t("common.no"),
      none: t("common.none"),
    });
  return (
    <dl className="grid max-w-lg min-w-64 grid-cols-[auto_minmax(0,1fr)] gap-x-3 py-1 text-[13px]">
      {changes.map(({ name, ...change }) => (
        <div key={name} className="contents">
          <dt className="text-faint">{wordField(name, language)}</dt>
          <dd className="min-w-0 break-words">
            {"before" in change && <del className="text-soft">{show(name, change.before)}</del>}
            {"before" in change && "after" in change && <span aria-hidden="true"> → </span>}
            {"after" in change && <ins className="no-underline">{show(name, change.after)}</ins>}
          </dd>
        </div>
      ))}
    </dl>
  );
}
