/** Nothing is at this address. */
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { Main } from "@/layout/root";
import { LinkButton } from "@/parts/button";
import { PageHeader } from "@/parts/page";

export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <Main>
      <PageHeader title={t("not_found.title")}>{t("not_found.text")}</PageHeader>
      <div className="flex gap-2">
        <LinkButton to="/" kind="primary">
          {t("not_found.home")}
        </LinkButton>
        <LinkButton to="/models">{t("layout.models")}</LinkButton>
      </div>
      <p className="mt-6 text-soft">
        <Link to="/docs" className="text-accent underline underline-offset-3">
          {t("not_found.docs")}
        </Link>
      </p>
    </Main>
  );
}
