/** The price list: every model with a price, in and out, per thousand and per million tokens. */
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useModels } from "@/api/portal";
import type { ModelRow } from "@/api/types";
import { Main } from "@/layout/root";
import { compact } from "@/lib/filters";
import { Empty } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { SearchField } from "@/parts/search-field";
import { Pager, Table, type Column } from "@/parts/table";

import { PriceCell } from "./models/price";

const PAGE = 200;

export function PricesPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/prices" });
  const navigate = useNavigate({ from: "/prices" });
  const models = useModels(search, PAGE);
  const set = (change: typeof search) =>
    void navigate({ search: (old) => compact({ ...old, after: undefined, ...change }), replace: true });
  const price = (side: "input" | "output", unit: "ktok" | "mtok"): Column<ModelRow> => ({
    id: `${side}-${unit}`,
    title: `${t(`models.${side}`)} / ${t(`models.${unit}`)}`,
    right: true,
    wide: unit === "mtok",
    ...(unit === "ktok" ? { sort: side } : {}),
    cell: (model) => <PriceCell price={model.price} side={side} unit={unit} />,
  });
  const columns: Column<ModelRow>[] = [
    {
      id: "name",
      title: t("models.model"),
      sort: "name",
      cell: (model) => (
        <Link to="/models/$" params={{ _splat: model.id }} className="hover:text-accent">
          <span className="font-medium">{model.name}</span>{" "}
          <span className="font-mono text-[12px] text-faint">{model.id}</span>
        </Link>
      ),
    },
    { id: "vendor", title: t("models.vendor"), sort: "vendor", wide: true, cell: (model) => model.vendor_title },
    price("input", "ktok"),
    price("input", "mtok"),
    price("output", "ktok"),
    price("output", "mtok"),
  ];
  return (
    <Main>
      <PageHeader title={t("prices.title")}>{t("prices.lead")}</PageHeader>
      <div className="mb-4">
        <SearchField label={t("models.search")} value={search.q ?? ""} onChange={(q) => set({ q })} />
      </div>
      <Table
        label={t("prices.title")}
        columns={columns}
        rows={models.data?.data}
        rowKey={(model) => model.id}
        sort={search.sort}
        onSort={(sort) => set({ sort })}
        empty={<Empty title={t("models.none")}>{t("models.none_text")}</Empty>}
        error={models.error}
        onRetry={() => void models.refetch()}
        stale={models.isPlaceholderData}
        skeletonRows={24}
      />
      <p className="mt-3 text-[13px] text-faint">{t("prices.tiered_note")}</p>
      <Pager
        total={models.data?.total}
        shown={models.data?.data.length}
        next={models.data?.next}
        atStart={!search.after}
        onFirst={() => set({})}
        onNext={(after) => set({ after })}
      />
    </Main>
  );
}
