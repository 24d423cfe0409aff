/** One document: a guide, a generated reference, or an endpoint. */
import { Link, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { ApiError } from "@/api/client";
import { useDocPage } from "@/api/portal";
import type { DocPage, PageLink } from "@/api/types";
import { useTitle } from "@/lib/title";
import { CopyButton } from "@/parts/copy";
import { Time } from "@/parts/figures";
import { Icon } from "@/parts/icons";
import { Markdown } from "@/parts/markdown";
import { Empty, ErrorNote, PageSkeleton } from "@/parts/notes";
import { LinkButton } from "@/parts/button";

import { Endpoint } from "./endpoint";

export function DocRoute() {
  const { t } = useTranslation();
  const { _splat: slug = "" } = useParams({ strict: false });
  const page = useDocPage(slug);
  if (page.error instanceof ApiError && page.error.status === 404)
    return (
      <Empty title={t("docs.missing")} action={<LinkButton to="/docs">{t("layout.api_list")}</LinkButton>}>
        {t("docs.missing_text")}
      </Empty>
    );
  if (page.error) return <ErrorNote error={page.error} onRetry={() => void page.refetch()} />;
  if (!page.data) return <PageSkeleton />;
  return <Document key={`${page.data.lang} ${page.data.slug}`} page={page.data} />;
}

function Document({ page }: { page: DocPage }) {
  useTitle(page.title);
  return (
    <article>
      <Breadcrumb page={page} />
      {page.kind === "endpoint" ? <Endpoint page={page} /> : <Guide page={page} />}
      <footer className="mt-10 max-w-[75ch] border-t border-line pt-4">
        <Modified page={page} />
        <Neighbours page={page} />
      </footer>
    </article>
  );
}

function Breadcrumb({ page }: { page: DocPage }) {
  const { t } = useTranslation();
  return (
    <div className="mb-3 flex flex-wrap items-center justify-between gap-2">
      <nav aria-label={t("docs.breadcrumb")}>
        <ol className="flex flex-wrap items-center gap-1 text-[13px] text-faint">
          {page.breadcrumb.map((link) => (
            <li key={link.title} className="flex items-center gap-1">
              {link.slug === null ? (
                link.title
              ) : (
                <Link to="/docs/$" params={{ _splat: link.slug }} className="hover:text-ink">
                  {link.title}
                </Link>
              )}
              <Icon name="right" className="size-2.5" />
            </li>
          ))}
          <li aria-current="page" className="text-soft">
            {page.title}
          </li>
        </ol>
      </nav>
      <span className="flex items-center gap-1">
        <CopyButton value={page.markdown} label={t("docs.copy_markdown")} text={t("docs.copy_markdown")} />
        <a
          href={`/docs/${page.slug}.md`}
          className="inline-flex h-7 items-center rounded-md px-2 text-[13px] text-soft hover:bg-hover hover:text-ink"
        >
          {t("docs.open_markdown")}
        </a>
      </span>
    </div>
  );
}

function Guide({ page }: { page: DocPage }) {
  const { t } = useTranslation();
  const outline = page.headings.filter((heading) => heading.level <= 3);
  return (
    <div className="flex gap-10">
      <div className="min-w-0 flex-1">
        <Markdown text={page.markdown} base={page.slug} />
      </div>
      {outline.length > 2 && (
        <nav
          aria-label={t("docs.outline")}
          className="sticky top-20 hidden max-h-[80vh] w-56 shrink-0 self-start overflow-y-auto text-[13px] xl:block"
        >
          <p className="mb-2 font-medium">{t("docs.outline")}</p>
          <ul className="border-l border-line">
            {outline.map((heading) => (
              <li key={heading.id}>
                <a
                  href={`#${heading.id}`}
                  className={`block py-0.5 text-soft hover:text-ink ${heading.level > 2 ? "pl-6" : "pl-3"}`}
                >
                  {heading.title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
      )}
    </div>
  );
}

function Modified({ page }: { page: DocPage }) {
  const { t } = useTranslation();
  if (!page.modified_ms) return null;
  return (
    <p className="text-[13px] text-faint">
      {t("docs.modified")} <Time ms={page.modified_ms} />
    </p>
  );
}

function Neighbours({ page }: { page: DocPage }) {
  const { t } = useTranslation();
  return (
    <nav aria-label={t("docs.neighbours")} className="mt-4 grid grid-cols-2 gap-3">
      {page.previous?.slug ? (
        <Neighbour link={page.previous} slug={page.previous.slug} name={t("docs.previous")} />
      ) : (
        <span />
      )}
      {page.next?.slug && <Neighbour link={page.next} slug={page.next.slug} name={t("docs.next")} right />}
    </nav>
  );
}

function Neighbour({
  link,
  slug,
  name,
  right = false,
}: {
  link: PageLink;
  slug: string;
  name: string;
  right?: boolean;
}) {
  return (
    <Link
      to="/docs/$"
      params={{ _splat: slug }}
      className={`rounded-lg border border-line px-4 py-3 hover:border-line-strong ${right ? "text-right" : ""}`}
    >
      <span className="block text-[13px] text-faint">{name}</span>
      <span className="font-medium">{link.title}</span>
    </Link>
  );
}
