/** Every kind of error that the gateway answers with: status, code, what it means, what to do. */
import { useTranslation } from "react-i18next";

import { useStatusCodes } from "@/api/portal";
import type { StatusEntry } from "@/api/types";
import { Main } from "@/layout/root";
import { Badge } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { Table, type Column } from "@/parts/table";

export function StatusCodesPage() {
  const { t } = useTranslation();
  const codes = useStatusCodes();
  const columns: Column<StatusEntry>[] = [
    {
      id: "status",
      title: "HTTP",
      cell: (entry) => <Badge tone={entry.status < 500 ? "warn" : "bad"}>{entry.status}</Badge>,
    },
    { id: "code", title: "code", cell: (entry) => <code className="font-mono text-[13px]">{entry.code ?? "–"}</code> },
    {
      id: "type",
      title: "type",
      cell: (entry) => <code className="font-mono text-[13px] text-soft">{entry.type}</code>,
    },
    {
      id: "meaning",
      title: t("status.meaning"),
      cell: (entry) => (
        <>
          <span className="font-medium">{entry.title}</span>
          <span className="block text-soft">{entry.meaning}</span>
        </>
      ),
      className: "min-w-64",
    },
    { id: "remedy", title: t("status.remedy"), cell: (entry) => entry.remedy, className: "min-w-64" },
  ];
  return (
    <Main>
      <PageHeader title={t("layout.status_codes")}>{t("status.lead")}</PageHeader>
      <Table
        label={t("layout.status_codes")}
        columns={columns}
        rows={codes.data}
        rowKey={(entry) => entry.name}
        error={codes.error}
        onRetry={() => void codes.refetch()}
        empty={null}
        skeletonRows={16}
      />
    </Main>
  );
}
