/** What can be downloaded: the OpenAPI document, the collection, the text for language models, and what replaces a browser extension. */
import { useTranslation } from "react-i18next";

import { useBaseUrl } from "@/api/session";
import { Main } from "@/layout/root";
import { AnchorButton } from "@/parts/button";
import { Copyable } from "@/parts/copy";
import { Card, PageHeader } from "@/parts/page";

const FILES = [
  { path: "/openapi.json", words: "openapi" },
  { path: "/collection.json", words: "collection" },
  { path: "/llms.txt", words: "llms" },
] as const;

export function DownloadsPage() {
  const { t } = useTranslation();
  const base = useBaseUrl();
  return (
    <Main>
      <PageHeader title={t("layout.downloads")}>{t("downloads.lead")}</PageHeader>
      <div className="grid grid-cols-1 gap-4 md:grid-cols-2">
        {FILES.map(({ path, words }) => (
          <Card key={path}>
            <h2 className="text-[16px] font-semibold">{t(`downloads.${words}`)}</h2>
            <p className="mt-1 text-soft">{t(`downloads.${words}_text`)}</p>
            <div className="mt-3 flex flex-wrap items-center gap-3">
              <AnchorButton href={path} download size="sm">
                {t("downloads.download")}
              </AnchorButton>
              <Copyable value={base + path} label={t("docs.copy_address")} />
            </div>
          </Card>
        ))}
        <Card>
          <h2 className="text-[16px] font-semibold">{t("downloads.extension")}</h2>
          <p className="mt-1 text-soft">{t("downloads.extension_text")}</p>
        </Card>
      </div>
    </Main>
  );
}
