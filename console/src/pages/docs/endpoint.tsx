/** An endpoint's page: what it is and takes in the middle, how to call it at the right, always in view. */
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useBaseUrl } from "@/api/session";
import { cx } from "@/lib/class-names";
import type { Answer, DocPage, RequestExample, SampleRequestOut } from "@/api/types";
import { Code } from "@/parts/code";
import { CopyButton, Copyable } from "@/parts/copy";
import { Markdown } from "@/parts/markdown";
import { Badge, Method, Note } from "@/parts/notes";
import { Select } from "@/parts/field";
import { Tabs } from "@/parts/tabs";

import { ParameterList } from "./parameters";
import { Samples } from "./samples";
import { TryIt } from "./try-it";

export function Endpoint({ page }: { page: DocPage }) {
  const { t } = useTranslation();
  const base = useBaseUrl();
  const [example, setExample] = useState(0);
  const shown = page.request_examples[example];
  const request = page.sample_request && (shown ? withExample(page.sample_request, shown) : page.sample_request);
  const form = { parameters: page.parameters.filter((one) => one.in === "body"), files: page.files };
  return (
    <div className="grid gap-x-10 gap-y-8 xl:grid-cols-[minmax(0,1fr)_minmax(0,30rem)] 2xl:grid-cols-[minmax(0,1fr)_minmax(0,38rem)]">
      <div className="min-w-0">
        <h1 className="flex flex-wrap items-center gap-x-3 gap-y-1 text-[26px] leading-tight font-semibold">
          {page.title}
          {page.status === "developing" && <Badge tone="warn">{t("docs.developing")}</Badge>}
        </h1>
        {page.summary && <p className="mt-2 text-[16px] text-soft">{page.summary}</p>}
        <div className="mt-4 flex min-w-0 items-center gap-2 rounded-md border border-line bg-sunken py-1 pr-1 pl-3">
          <Method method={page.method ?? ""} />
          <code className="min-w-0 flex-1 truncate font-mono text-[14px]">{page.path}</code>
          <CopyButton value={base + (page.path ?? "")} label={t("docs.copy_address")} />
        </div>
        {page.status === "developing" && (
          <div className="mt-4">
            <Note tone="warn">{t("docs.developing_text")}</Note>
          </div>
        )}
        {page.description && (
          <div className="mt-5">
            <Markdown text={page.description} base={page.slug} />
          </div>
        )}
        {page.model && (
          <p className="mt-4 flex flex-wrap items-center gap-x-2 text-soft">
            {t("docs.model")} <Copyable value={page.model} />
            <Link to="/models/$" params={{ _splat: page.model }} className="text-accent underline underline-offset-3">
              {t("docs.see_price")}
            </Link>
          </p>
        )}
        <Ways page={page} />
        <Others page={page} />
        <Addresses page={page} />
        <Auth page={page} />
        <h2 className="mt-8 text-[19px] font-semibold">{t("docs.parameters")}</h2>
        {(["header", "path", "query", "body"] as const).map((place) => (
          <ParameterList
            key={place}
            title={place === "body" ? `${t("docs.in_body")} · ${page.content_type}` : t(`docs.in_${place}`)}
            parameters={page.parameters.filter((parameter) => parameter.in === place)}
          />
        ))}
        <Answers answers={page.responses} />
      </div>
      <div className="min-w-0">
        <div className="flex flex-col gap-4 xl:sticky xl:top-20 xl:max-h-[calc(100vh-6rem)] xl:overflow-y-auto xl:pb-4">
          {page.request_examples.length > 1 && (
            <Select
              label={t("docs.example")}
              options={page.request_examples.map((one, index) => ({ value: String(index), label: one.title }))}
              value={String(example)}
              onChange={(event) => setExample(Number(event.target.value))}
            />
          )}
          {request && (
            <>
              <Samples request={request} base={base} operation={page.operation ?? ""} />
              <TryIt key={example} request={request} form={form} {...(page.status ? { status: page.status } : {})} />
            </>
          )}
          {shown && (
            <Code title={`${t("docs.request_example")} · ${shown.content_type}`} code={shown.body} language="json" />
          )}
        </div>
      </div>
    </div>
  );
}

/** The request with the body of an example, which may be of another type. */
function withExample(request: SampleRequestOut, { body, content_type }: RequestExample): SampleRequestOut {
  return { ...request, headers: { ...request.headers, "Content-Type": content_type }, body };
}

/** The same call in the format of every SDK that is served; this page is one of them. */
function Ways({ page }: { page: DocPage }) {
  const { t } = useTranslation();
  if (page.ways.length === 0) return null;
  const own = page.ways.find((way) => way.operation === page.operation);
  return (
    <nav aria-label={t("docs.ways")} className="mt-5">
      <p className="mb-1.5 font-medium">{t("docs.ways")}</p>
      <ul className="flex flex-wrap gap-1.5">
        {page.ways.map((way) => (
          <li key={way.format}>
            <Link
              to="/docs/$"
              params={{ _splat: way.slug }}
              {...(way === own ? { "aria-current": "page" as const } : {})}
              className={cx(
                "inline-flex h-8 items-center rounded-md border px-3",
                way === own
                  ? "border-accent bg-accent-soft font-medium text-accent"
                  : "border-line-strong hover:bg-hover",
              )}
            >
              {way.title}
            </Link>
          </li>
        ))}
      </ul>
      {own?.guide && (
        <p className="mt-2 text-[14px] text-soft">
          <Link to="/docs/$" params={{ _splat: own.guide }} className="text-accent underline underline-offset-3">
            {t("docs.sdk_guide", { format: own.title })}
          </Link>
        </p>
      )}
    </nav>
  );
}

function Others({ page }: { page: DocPage }) {
  const { t } = useTranslation();
  if (page.others.length === 0) return null;
  return (
    <p className="mt-2 flex flex-wrap gap-x-3 text-soft">
      {t("docs.others")}
      {page.others.map((link) => (
        <Link
          key={link.slug}
          to="/docs/$"
          params={{ _splat: link.slug ?? "" }}
          className="text-accent underline underline-offset-3"
        >
          {link.title}
        </Link>
      ))}
    </p>
  );
}

function Addresses({ page }: { page: DocPage }) {
  const { t } = useTranslation();
  if (page.base_urls.length === 0) return null;
  return (
    <>
      <h2 className="mt-8 text-[19px] font-semibold">{t("docs.address")}</h2>
      <p className="mt-1 text-soft">{page.base_urls.length > 1 ? t("docs.addresses_text") : t("docs.address_text")}</p>
      <ul className="mt-2">
        {page.base_urls.map((url) => (
          <li key={url}>
            <Copyable value={url} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Auth({ page }: { page: DocPage }) {
  const { t } = useTranslation();
  if (!page.auth) return null;
  return (
    <>
      <h2 className="mt-8 text-[19px] font-semibold">{page.auth.header}</h2>
      <p className="mt-1 text-soft">
        {page.auth.type === "bearer" ? t("docs.auth_bearer") : t("docs.auth_key", { header: page.auth.header })}{" "}
        <Link to="/get-apikey" className="text-accent underline underline-offset-3">
          {t("home.get_key")}
        </Link>
      </p>
      <Code className="mt-2" language="http" code={`${page.auth.header}: ${page.auth.example}`} />
    </>
  );
}

function Answers({ answers }: { answers: readonly Answer[] }) {
  const { t } = useTranslation();
  const [shown, setShown] = useState("0");
  if (answers.length === 0) return null;
  return (
    <>
      <h2 className="mt-8 mb-2 text-[19px] font-semibold">{t("docs.responses")}</h2>
      <Tabs
        label={t("docs.responses")}
        value={shown}
        onChange={setShown}
        tabs={answers.map((answer, index) => ({
          id: String(index),
          label: (
            <span className="inline-flex items-center gap-1.5">
              <Badge tone={answer.status < 400 ? "good" : "bad"}>{answer.status}</Badge>
              {answer.title}
            </span>
          ),
          content: <AnswerPanel answer={answer} />,
        }))}
      />
    </>
  );
}

function AnswerPanel({ answer }: { answer: Answer }) {
  const { t } = useTranslation();
  return (
    <>
      {answer.meaning && <p>{answer.meaning}</p>}
      {answer.remedy && <p className="mt-1 text-soft">{answer.remedy}</p>}
      {answer.example && (
        <Code
          className="mt-3"
          title={answer.content_type}
          code={answer.example}
          language={answer.content_type.includes("json") ? "json" : ""}
        />
      )}
      <ParameterList title={t("docs.answer_fields")} parameters={answer.fields} />
    </>
  );
}
