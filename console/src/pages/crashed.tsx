/** A page that failed to load or to draw says so, and offers to try again. */
import type { ErrorComponentProps } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { Main } from "@/layout/root";
import { ErrorNote } from "@/parts/notes";
import { PageHeader } from "@/parts/page";

export function CrashedPage({ error }: ErrorComponentProps) {
  const { t } = useTranslation();
  return (
    <Main>
      <PageHeader title={t("crashed.title")}>{t("crashed.text")}</PageHeader>
      <ErrorNote error={error} onRetry={() => window.location.reload()} />
    </Main>
  );
}
