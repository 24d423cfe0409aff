/** The first page: what this is, three steps with the reader's own values, the models to look at, whom to ask. */
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useHome } from "@/api/portal";
import { useBaseUrl, useSession } from "@/api/session";
import type { ModelPrice, ModelRow } from "@/api/types";
import { Main } from "@/layout/root";
import { cx } from "@/lib/class-names";
import { useTabKey } from "@/lib/tab-key";
import { useTitle } from "@/lib/title";
import { LinkButton } from "@/parts/button";
import { Code } from "@/parts/code";
import { Copyable } from "@/parts/copy";
import { Money } from "@/parts/figures";
import { Markdown } from "@/parts/markdown";
import { Badge, ErrorNote, Skeleton } from "@/parts/notes";
import { Section } from "@/parts/page";
import { pieceOf } from "@/pages/models/price";

const SAMPLE_MODEL = "smollm2-135m-instruct";

export function HomePage() {
  const { t } = useTranslation();
  const { data: session } = useSession();
  const home = useHome();
  useTitle("TokenGate");
  return (
    <Main>
      <div className="max-w-[75ch]">
        <h1 className="text-[30px] leading-tight font-semibold text-balance">{t("home.title")}</h1>
        <p className="mt-3 text-[16px] text-soft">{t("home.lead")}</p>
        <div className="mt-5 flex flex-wrap gap-2">
          <LinkButton to="/get-apikey" kind="primary">
            {t("home.get_key")}
          </LinkButton>
          <LinkButton to="/models">{t("home.see_models")}</LinkButton>
          <LinkButton to="/docs" kind="quiet">
            {t("home.read_docs")}
          </LinkButton>
        </div>
      </div>
      <Steps model={home.data?.followed.find((model) => model.status === "released")?.id ?? SAMPLE_MODEL} />
      {home.error ? (
        <div className="mt-8">
          <ErrorNote error={home.error} onRetry={() => void home.refetch()} />
        </div>
      ) : (
        <div className="grid grid-cols-1 gap-x-10 lg:grid-cols-2">
          <Section title={t("home.followed")}>
            <ModelList models={home.data?.followed} />
          </Section>
          <Section title={t("home.newest")}>
            <ModelList models={home.data?.newest} />
          </Section>
        </div>
      )}
      {session?.contact && (
        <Section title={t("home.contact")}>
          <Markdown text={session.contact} />
        </Section>
      )}
    </Main>
  );
}

function Steps({ model }: { model: string }) {
  const { t } = useTranslation();
  const base = useBaseUrl();
  const key = useTabKey();
  const body = JSON.stringify({ model, messages: [{ role: "user", content: t("home.hello") }] }, null, 2);
  const curl = (bearer: string): string =>
    `curl ${base}/v1/chat/completions \\\n  -H "Authorization: Bearer ${bearer}" \\\n  -H "Content-Type: application/json" \\\n  -d '${body}'`;
  return (
    <section className="mt-10" aria-label={t("home.steps")}>
      <h2 className="sr-only">{t("home.steps")}</h2>
      <ol className="grid gap-x-10 gap-y-6 lg:grid-cols-[minmax(0,2fr)_minmax(0,3fr)] lg:grid-rows-[auto_1fr]">
        <Step number={1} title={t("home.step_key")}>
          <p className="text-soft">{t("home.step_key_text")}</p>
          <div className="mt-3">
            {key ? (
              <Code code={`export TOKENGATE_API_KEY=${key}`} language="bash" />
            ) : (
              <LinkButton to="/get-apikey" size="sm">
                {t("home.get_key")}
              </LinkButton>
            )}
          </div>
        </Step>
        <Step number={2} title={t("home.step_base")}>
          <p className="text-soft">{t("home.step_base_text")}</p>
          <dl className="mt-3 grid grid-cols-[auto_minmax(0,1fr)] items-center gap-x-3">
            <dt className="text-faint">base_url</dt>
            <dd>
              <Copyable value={`${base}/v1`} />
            </dd>
            <dt className="text-faint">model</dt>
            <dd>
              <Copyable value={model} />
            </dd>
          </dl>
        </Step>
        <Step number={3} title={t("home.step_call")} className="lg:col-start-2 lg:row-span-2 lg:row-start-1">
          <Code
            title="curl"
            code={curl("$TOKENGATE_API_KEY")}
            copy={curl(key ?? "$TOKENGATE_API_KEY")}
            language="bash"
          />
        </Step>
      </ol>
    </section>
  );
}

function Step({
  number,
  title,
  className,
  children,
}: {
  number: number;
  title: string;
  className?: string;
  children: React.ReactNode;
}) {
  return (
    <li className={cx("min-w-0", className)}>
      <h3 className="mb-2 flex items-center gap-2 text-[15px] font-semibold">
        <span className="inline-flex size-6 items-center justify-center rounded-full bg-accent-soft text-[13px] text-accent">
          {number}
        </span>
        {title}
      </h3>
      {children}
    </li>
  );
}

function ModelList({ models }: { models: readonly ModelRow[] | undefined }) {
  const { t } = useTranslation();
  return (
    <ul className="divide-y divide-line border-y border-line">
      {models
        ? models.map((model) => (
            <li key={model.id}>
              <Link
                to="/models/$"
                params={{ _splat: model.id }}
                className="flex h-14 items-center gap-3 px-1 hover:bg-sunken"
              >
                <span className="min-w-0 flex-1">
                  <span className="flex items-center gap-2">
                    <span className="truncate font-medium">{model.name}</span>
                    {model.status === "developing" && <Badge tone="warn">{t("docs.developing")}</Badge>}
                  </span>
                  <span className="block truncate text-[13px] text-faint">{model.capability_titles.join(" · ")}</span>
                </span>
                {model.price && <Price price={model.price} />}
              </Link>
            </li>
          ))
        : Array.from({ length: 8 }, (_, index) => (
            <li key={index} className="flex h-14 items-center">
              <Skeleton className="h-4 w-2/3" />
            </li>
          ))}
    </ul>
  );
}

function Price({ price }: { price: ModelPrice }) {
  const { t } = useTranslation();
  const piece = price.input_per_ktok_yuan === null ? pieceOf(price) : undefined;
  const shown = piece?.per_piece_yuan ?? price.input_per_ktok_yuan;
  if (shown === null) return null;
  return (
    <span className="text-right text-[13px] whitespace-nowrap">
      <Money value={shown} />
      <span className="block text-faint lowercase">{piece?.title ?? t("models.per_ktok_in")}</span>
    </span>
  );
}
