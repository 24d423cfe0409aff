/** Who changed what, and from where. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useAudit } from "@/api/orgs";
import type { AuditEntry, Page } from "@/api/types";
import { compact } from "@/lib/filters";
import { Time } from "@/parts/figures";
import { Empty } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { Pager, Table, type Column } from "@/parts/table";

export function AuditPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/console/audit" });
  const navigate = useNavigate({ from: "/console/audit" });
  const audit = useAudit(compact({ after: search.after }));
  return (
    <>
      <PageHeader title={t("audit.title")}>{t("audit.lead")}</PageHeader>
      <AuditTable
        page={audit.data}
        error={audit.error}
        onRetry={() => void audit.refetch()}
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
  after,
  onPage,
}: {
  page: Page<AuditEntry> | undefined;
  error: unknown;
  onRetry: () => void;
  after: string | undefined;
  onPage: (after?: string) => void;
}) {
  const { t } = useTranslation();
  const columns: Column<AuditEntry>[] = [
    { id: "at", title: t("calls.time"), cell: (entry) => <Time ms={entry.at_ms} /> },
    {
      id: "actor",
      title: t("audit.actor"),
      cell: (entry) => <span title={entry.actor_id}>{entry.actor_name || entry.actor_kind}</span>,
    },
    {
      id: "action",
      title: t("audit.action"),
      cell: (entry) => <code className="font-mono text-[13px]">{entry.action}</code>,
    },
    {
      id: "target",
      title: t("audit.target"),
      cell: (entry) => <code className="font-mono text-[13px]">{entry.target}</code>,
    },
    {
      id: "detail",
      title: t("audit.detail"),
      cell: (entry) => <Change entry={entry} />,
    },
    { id: "address", title: t("audit.address"), cell: (entry) => entry.address },
  ];
  return (
    <>
      <Table
        label={t("audit.title")}
        columns={columns}
        rows={page?.data}
        rowKey={(entry) => entry.id}
        error={error}
        onRetry={onRetry}
        empty={<Empty title={t("audit.none")}>{t("audit.none_text")}</Empty>}
      />
      <Pager shown={page?.data.length} next={page?.next} atStart={!after} onFirst={() => onPage()} onNext={onPage} />
    </>
  );
}

/** What was, and what is: one line per field. */
function Change({ entry }: { entry: AuditEntry }) {
  const names = [...new Set([...Object.keys(entry.before), ...Object.keys(entry.after)])];
  if (names.length === 0) return null;
  return (
    <dl className="max-w-md min-w-52 font-mono text-[12px] text-soft">
      {names.map((name) => (
        <div key={name} className="flex gap-1.5">
          <dt className="text-faint">{name}</dt>
          <dd className="min-w-0 break-words">
            {name in entry.before && <del>{shown(entry.before[name])}</del>}{" "}
            {name in entry.after && shown(entry.after[name])}
          </dd>
        </div>
      ))}
    </dl>
  );
}

const shown = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));
