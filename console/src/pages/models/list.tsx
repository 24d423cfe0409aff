/** All models, as a table or as cards. What is chosen is in the address. */
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useModels } from "@/api/portal";
import type { ModelRow } from "@/api/types";
import { Main } from "@/layout/root";
import { showContext, showCount } from "@/lib/count";
import { compact } from "@/lib/filters";
import { Button } from "@/parts/button";
import { FilterChip } from "@/parts/chips";
import { CopyButton } from "@/parts/copy";
import { Badge, Empty, ErrorNote, Skeleton } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { SearchField } from "@/parts/search-field";
import { Pager, Table, type Column } from "@/parts/table";
import { Segmented } from "@/parts/tabs";

import { PriceCell, type Unit } from "./price";
import { FACETS, type ModelSearch } from "./search";

const PAGE = 50;

export function ModelsPage() {
  const { t } = useTranslation();
  const search: ModelSearch = useSearch({ from: "/models/" });
  const navigate = useNavigate({ from: "/models/" });
  const { view = "table", unit = "ktok", ...filters } = search;
  const models = useModels(filters, PAGE);
  const columns = useColumns(unit);
  const set = (change: Partial<ModelSearch>) =>
    void navigate({ search: (old) => compact({ ...old, after: undefined, ...change }), replace: true });
  const filtered = FACETS.some((facet) => filters[facet]?.length) || filters.q !== undefined;
  const empty = (
    <Empty
      title={t("models.none")}
      action={
        filtered && (
          <Button
            onClick={() => set({ q: undefined, ...Object.fromEntries(FACETS.map((facet) => [facet, undefined])) })}
          >
            {t("table.clear")}
          </Button>
        )
      }
    >
      {t("models.none_text")}
    </Empty>
  );
  return (
    <Main>
      <PageHeader title={t("layout.models")}>{t("models.lead")}</PageHeader>
      <div className="mb-4 flex flex-wrap items-center gap-2">
        <SearchField label={t("models.search")} value={filters.q ?? ""} onChange={(q) => set({ q })} />
        {FACETS.map((facet) => (
          <FilterChip
            key={facet}
            label={t(`models.${facet}`)}
            choices={models.data?.facets[facet] ?? []}
            chosen={filters[facet] ?? []}
            onChange={(chosen) => set({ [facet]: chosen })}
          />
        ))}
        <span className="flex flex-wrap gap-2 lg:ml-auto">
          <Segmented
            label={t("models.unit")}
            value={unit}
            onChange={(next) => set({ unit: next, after: filters.after })}
            choices={[
              { value: "ktok", label: t("models.per_ktok") },
              { value: "mtok", label: t("models.per_mtok") },
            ]}
          />
          <Segmented
            label={t("models.view")}
            value={view}
            onChange={(next) => set({ view: next, after: filters.after })}
            choices={[
              { value: "table", label: t("models.table") },
              { value: "cards", label: t("models.cards") },
            ]}
          />
        </span>
      </div>
      {view === "table" ? (
        <Table
          label={t("layout.models")}
          columns={columns}
          rows={models.data?.data}
          rowKey={(model) => model.id}
          sort={filters.sort}
          onSort={(sort) => set({ sort })}
          empty={empty}
          error={models.error}
          onRetry={() => void models.refetch()}
          stale={models.isPlaceholderData}
          skeletonRows={20}
        />
      ) : (
        <Cards
          models={models.data?.data}
          unit={unit}
          empty={empty}
          error={models.error}
          onRetry={() => void models.refetch()}
        />
      )}
      <Pager
        total={models.data?.total}
        shown={models.data?.data.length}
        next={models.data?.next}
        atStart={!filters.after}
        onFirst={() => set({ after: undefined })}
        onNext={(after) => set({ after })}
      />
    </Main>
  );
}

function useColumns(unit: Unit): Column<ModelRow>[] {
  const { t } = useTranslation();
  const per = unit === "ktok" ? t("models.ktok") : t("models.mtok");
  return [
    {
      id: "name",
      title: t("models.model"),
      sort: "name",
      cell: (model) => (
        <div className="flex items-center gap-1 sm:min-w-56">
          <div className="min-w-0">
            <Link to="/models/$" params={{ _splat: model.id }} className="font-medium hover:text-accent">
              {model.name}
            </Link>
            {model.status === "developing" && (
              <>
                {" "}
                <Badge tone="warn">{t("docs.developing")}</Badge>
              </>
            )}
            <div className="flex items-center font-mono text-[12px] text-faint">
              {model.id}
              <CopyButton value={model.id} label={t("models.copy_id")} className="h-5" />
            </div>
          </div>
        </div>
      ),
    },
    { id: "vendor", title: t("models.vendor"), sort: "vendor", wide: true, cell: (model) => model.vendor_title },
    {
      id: "region",
      title: t("models.region"),
      wide: true,
      cell: (model) => model.region_title,
      className: "whitespace-nowrap",
    },
    {
      id: "capability",
      title: t("models.capability"),
      wide: true,
      cell: (model) => <span className="text-[13px] text-soft">{model.capability_titles.join(" · ")}</span>,
      className: "min-w-40",
    },
    {
      id: "context",
      title: t("models.context"),
      sort: "context",
      right: true,
      wide: true,
      cell: (model) =>
        model.context ? <span title={showCount(model.context)}>{showContext(model.context)}</span> : "–",
    },
    {
      id: "input",
      title: `${t("models.input")} / ${per}`,
      sort: "input",
      right: true,
      cell: (model) => <PriceCell price={model.price} side="input" unit={unit} />,
    },
    {
      id: "output",
      title: `${t("models.output")} / ${per}`,
      sort: "output",
      right: true,
      cell: (model) => <PriceCell price={model.price} side="output" unit={unit} />,
    },
    {
      id: "updated",
      title: t("models.updated"),
      sort: "updated",
      cell: (model) => <span className="whitespace-nowrap tabular-nums">{model.updated}</span>,
    },
  ];
}

function Cards({
  models,
  unit,
  empty,
  error,
  onRetry,
}: {
  models: readonly ModelRow[] | undefined;
  unit: Unit;
  empty: React.ReactNode;
  error: unknown;
  onRetry: () => void;
}) {
  const { t } = useTranslation();
  if (error != null) return <ErrorNote error={error} onRetry={onRetry} />;
  if (models?.length === 0) return <div className="rounded-lg border border-line">{empty}</div>;
  return (
    <ul className="grid grid-cols-1 gap-3 sm:grid-cols-2 lg:grid-cols-3">
      {models
        ? models.map((model) => (
            <li key={model.id}>
              <Link
                to="/models/$"
                params={{ _splat: model.id }}
                className="flex h-full flex-col rounded-lg border border-line bg-raised p-4 hover:border-line-strong"
              >
                <span className="flex items-center gap-2">
                  <span className="min-w-0 truncate text-[15px] font-semibold">{model.name}</span>
                  {model.status === "developing" && <Badge tone="warn">{t("docs.developing")}</Badge>}
                </span>
                <span className="mt-0.5 truncate font-mono text-[12px] text-faint">{model.id}</span>
                <span className="mt-2 text-[13px] text-soft">{model.capability_titles.join(" · ")}</span>
                <span className="mt-auto flex justify-between gap-2 pt-3 text-[13px]">
                  <span>
                    {t("models.input")} <PriceCell price={model.price} side="input" unit={unit} />
                  </span>
                  <span>
                    {t("models.output")} <PriceCell price={model.price} side="output" unit={unit} />
                  </span>
                </span>
              </Link>
            </li>
          ))
        : Array.from({ length: 12 }, (_, index) => (
            <li key={index}>
              <Skeleton className="h-36 rounded-lg" />
            </li>
          ))}
    </ul>
  );
}
