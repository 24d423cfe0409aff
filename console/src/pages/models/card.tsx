/** One model: what it is, what it costs, how it is now, how to call it. */
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "@/api/client";
import { useModel } from "@/api/portal";
import { useBaseUrl } from "@/api/session";
import type { ModelCard, ModelPrice } from "@/api/types";
import { Main } from "@/layout/root";
import { Samples } from "@/pages/docs/samples";
import { TryIt } from "@/pages/docs/try-it";
import { showContext, showCount } from "@/lib/count";
import { recall, remember } from "@/lib/storage";
import { useTitle } from "@/lib/title";
import { LinkButton } from "@/parts/button";
import { Copyable } from "@/parts/copy";
import { Select } from "@/parts/field";
import { Money, Time } from "@/parts/figures";
import { Markdown } from "@/parts/markdown";
import { Badge, Empty, ErrorNote, Method, PageSkeleton, type Tone } from "@/parts/notes";
import { Facts, Section } from "@/parts/page";
import { Table } from "@/parts/table";

import { byTokens, PriceCell } from "./price";

export function ModelRoute() {
  const { t } = useTranslation();
  const { _splat: id = "" } = useParams({ strict: false });
  const model = useModel(id);
  return (
    <Main>
      {model.error instanceof ApiError && model.error.status === 404 ? (
        <Empty title={t("models.missing", { id })} action={<LinkButton to="/models">{t("layout.models")}</LinkButton>}>
          {t("models.missing_text")}
        </Empty>
      ) : model.error ? (
        <ErrorNote error={model.error} onRetry={() => void model.refetch()} />
      ) : model.data ? (
        <Card model={model.data} />
      ) : (
        <PageSkeleton />
      )}
    </Main>
  );
}

const LIVE: Record<ModelCard["live"], Tone> = { available: "good", degraded: "warn", down: "bad", developing: "warn" };

type Fact = [string, React.ReactNode];

function Card({ model }: { model: ModelCard }) {
  const { t } = useTranslation();
  const { summary } = model;
  useTitle(summary.name);
  const price = summary.price;
  const facts: Fact[] = [
    [t("models.updated_on"), summary.updated || "–"],
    [t("models.capability"), summary.capability_titles.join(" · ") || "–"],
    ...tokens(t("models.context"), summary.context),
    ...tokens(t("models.max_output"), summary.max_output),
    ...(price && !byTokens(price)
      ? [[t("models.unit_price"), <PriceCell price={price} side="output" unit="ktok" />] as Fact]
      : ([
          [t("models.input_per_ktok"), <PriceCell price={price} side="input" unit="ktok" />],
          [t("models.output_per_ktok"), <PriceCell price={price} side="output" unit="ktok" />],
        ] satisfies Fact[])),
    [t("models.series"), summary.series || "–"],
    [t("models.vendor"), summary.vendor_title],
    [t("models.region"), summary.region_title],
    ...(model.aliases.length > 0 ? [[t("models.aliases"), model.aliases.join(", ")] as Fact] : []),
    ...(model.dimensions.length > 0 ? [[t("models.dimensions"), model.dimensions.join(", ")] as Fact] : []),
  ];
  return (
    <div className="grid gap-x-10 gap-y-8 xl:grid-cols-[minmax(0,1fr)_minmax(0,32rem)]">
      <div className="min-w-0">
        <h1 className="flex flex-wrap items-center gap-x-3 text-[26px] leading-tight font-semibold">
          {summary.name} <Badge tone={LIVE[model.live]}>{t(`models.live_${model.live}`)}</Badge>
        </h1>
        <p className="mt-1 text-[13px] text-soft">
          <Copyable value={summary.id} label={t("models.copy_id")} />
        </p>
        {model.description && <p className="mt-2 max-w-[75ch] text-[16px] text-soft">{model.description}</p>}
        <div className="mt-6">
          <Facts facts={facts} wide />
        </div>
        {price && <Prices price={price} />}
        {model.price_history.length > 1 && <PriceHistory history={model.price_history} />}
        {model.endpoints.length > 0 && (
          <Section title={t("models.endpoints")}>
            <ul className="divide-y divide-line border-y border-line">
              {model.endpoints.map((endpoint) => (
                <li key={endpoint.slug}>
                  <Link
                    to="/docs/$"
                    params={{ _splat: endpoint.slug }}
                    className="flex h-10 items-center gap-2 hover:text-accent"
                  >
                    <Method method={endpoint.method} />
                    <code className="min-w-0 flex-1 truncate font-mono text-[13px]">{endpoint.path}</code>
                    {endpoint.status === "developing" && <Badge tone="warn">{t("docs.developing")}</Badge>}
                  </Link>
                </li>
              ))}
            </ul>
          </Section>
        )}
        {model.introduction && (
          <Section title={t("models.introduction")}>
            <Markdown text={model.introduction} />
          </Section>
        )}
      </div>
      <div className="min-w-0">
        <div className="flex flex-col gap-4 xl:sticky xl:top-20 xl:max-h-[calc(100vh-6rem)] xl:overflow-y-auto xl:pb-4">
          <HowToCall model={model} />
        </div>
      </div>
    </div>
  );
}

/** A length in tokens, for the models that have one. */
const tokens = (name: string, length: number | null | undefined): Fact[] =>
  length ? [[name, <span title={showCount(length)}>{showContext(length)} tokens</span>]] : [];

/** A sample of each format that reaches the model; the chosen format is remembered for all models. */
function HowToCall({ model }: { model: ModelCard }) {
  const { t } = useTranslation();
  const base = useBaseUrl();
  const [format, setFormat] = useState(() => recall("sample.format") ?? "");
  const chosen = model.ways.find(({ way }) => way.format === format) ?? model.ways[0];
  const request = chosen?.sample_request ?? model.sample_request;
  return (
    <>
      {chosen && (
        <Select
          label={t("docs.ways")}
          options={model.ways.map(({ way }) => ({ value: way.format, label: way.title }))}
          value={chosen.way.format}
          onChange={(event) => {
            setFormat(event.target.value);
            remember("sample.format", event.target.value);
          }}
        />
      )}
      <dl className="rounded-lg border border-line px-3 py-2">
        <dt className="text-[13px] text-faint">base_url</dt>
        <dd>
          <Copyable value={chosen?.base_url ?? model.base_url} />
        </dd>
      </dl>
      {request && (
        <>
          <Samples
            request={request}
            base={base}
            operation={chosen?.way.operation ?? model.endpoints[0]?.operation ?? ""}
          />
          {chosen?.way.guide && (
            <Link
              to="/docs/$"
              params={{ _splat: chosen.way.guide }}
              className="text-accent underline underline-offset-3"
            >
              {t("docs.sdk_guide", { format: chosen.way.title })}
            </Link>
          )}
          <TryIt key={chosen?.way.format} request={request} status={model.summary.status} />
        </>
      )}
    </>
  );
}

function PriceHistory({ history }: { history: ModelCard["price_history"] }) {
  const { t } = useTranslation();
  type Version = ModelCard["price_history"][number];
  return (
    <Section title={t("models.price_history")}>
      <Table
        label={t("models.price_history")}
        rows={history}
        rowKey={(version: Version) => String(version.price.version)}
        empty={null}
        columns={[
          { id: "since", title: t("models.since"), cell: (version) => <Time ms={version.effective_ms} /> },
          {
            id: "input",
            title: t("models.input_per_ktok"),
            right: true,
            cell: (version) => <PriceCell price={version.price} side="input" unit="ktok" />,
          },
          {
            id: "output",
            title: t("models.output_per_ktok"),
            right: true,
            cell: (version) => <PriceCell price={version.price} side="output" unit="ktok" />,
          },
        ]}
      />
    </Section>
  );
}

export function Prices({ price }: { price: ModelPrice }) {
  const { t } = useTranslation();
  return (
    <Section title={t("models.price")}>
      {price.tiers.map((tier, index) => (
        <div key={index} className="mb-4">
          {price.tiers.length > 1 && (
            <p className="mb-1 text-[13px] text-soft">
              {Object.keys(tier.when).length === 0
                ? t("models.otherwise")
                : Object.entries(tier.when)
                    .map(([name, value]) => whenText(name, value, t))
                    .join(" · ")}
            </p>
          )}
          <div className="overflow-x-auto">
            <table className="w-full max-w-2xl text-left">
              <thead className="text-[13px] text-faint">
                <tr>
                  <th scope="col" className="py-1 font-normal">
                    {t("models.rate")}
                  </th>
                  {byTokens(price) ? (
                    <>
                      <th scope="col" className="py-1 text-right font-normal">
                        {t("models.per_ktok")}
                      </th>
                      <th scope="col" className="py-1 text-right font-normal">
                        {t("models.per_mtok")}
                      </th>
                    </>
                  ) : (
                    <th scope="col" colSpan={2} className="py-1 text-right font-normal">
                      {t("models.unit_price")}
                    </th>
                  )}
                </tr>
              </thead>
              <tbody>
                {tier.rates.map((rate) => (
                  <tr key={rate.word} className="border-t border-line">
                    <th scope="row" className="py-1.5 pr-3 font-normal">
                      {rate.title}
                      {rate.fallback !== null && (
                        <span className="ml-2 text-[13px] whitespace-nowrap text-faint max-sm:ml-0 max-sm:block">
                          {rate.fallback}
                        </span>
                      )}
                    </th>
                    {rate.per_piece_yuan !== null ? (
                      <td colSpan={2} className="py-1.5 text-right">
                        <Money value={rate.per_piece_yuan} />
                      </td>
                    ) : (
                      <>
                        <td className="py-1.5 text-right">
                          {rate.per_ktok_yuan !== null && <Money value={rate.per_ktok_yuan} />}
                        </td>
                        <td className="py-1.5 text-right">
                          {rate.per_mtok_yuan !== null && <Money value={rate.per_mtok_yuan} />}
                        </td>
                      </>
                    )}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </div>
      ))}
      <p className="text-[13px] text-faint">
        {t("models.price_version", { version: price.version })}
        {price.currency_rate && ` · ${t("models.price_rate", { rate: price.currency_rate })}`}
      </p>
    </Section>
  );
}

const WHENS = ["up_to", "thinking", "size", "quality", "resolution", "task", "hours"] as const;
type When = (typeof WHENS)[number];

function whenText(name: string, value: string | number | boolean, t: ReturnType<typeof useTranslation>["t"]): string {
  const shown =
    typeof value === "number"
      ? showCount(value)
      : value === true
        ? t("common.yes")
        : value === false
          ? t("common.no")
          : value;
  const known = WHENS.find((one): one is When => one === name);
  return known ? t(`models.when_${known}`, { value: shown }) : `${name}: ${shown}`;
}
