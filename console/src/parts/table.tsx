/**
 * Tables that the server sorts, filters and pages. The head is a row of buttons, rows keep their height while they
 * load, and a narrow screen scrolls the table sideways; Chinese words are not stacked to spare it the scrolling.
 */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { cx } from "@/lib/class-names";

import { Button } from "./button";
import { Icon } from "./icons";
import { ErrorNote, Skeleton } from "./notes";

export interface Column<T> {
  id: string;
  title: string;
  cell: (row: T) => ReactNode;
  /** The name by which the server sorts; without it the column is not sortable. */
  sort?: string;
  right?: boolean;
  /** On a phone there is no room for it; what it says is on the page behind the row. */
  wide?: boolean;
  className?: string;
}

/** `price` ascending, `-price` descending. */
export type Sort = string | undefined;

interface TableProps<T> {
  label: string;
  columns: readonly Column<T>[];
  rows: readonly T[] | undefined;
  rowKey: (row: T) => string;
  sort?: Sort;
  onSort?: (sort: Sort) => void;
  empty: ReactNode;
  error?: unknown;
  onRetry?: () => void;
  /** The shown rows are the last page's while the next one loads. */
  stale?: boolean;
  skeletonRows?: number;
}

export function Table<T>({
  label,
  columns,
  rows,
  rowKey,
  sort,
  onSort,
  empty,
  error,
  onRetry,
  stale = false,
  skeletonRows = 8,
}: TableProps<T>) {
  const { t } = useTranslation();
  if (error != null) return <ErrorNote error={error} {...(onRetry ? { onRetry } : {})} />;
  if (rows?.length === 0) return <div className="rounded-lg border border-line">{empty}</div>;
  return (
    <div
      role="region"
      aria-label={label}
      tabIndex={0}
      className="relative overflow-x-auto rounded-lg border border-line"
    >
      <table
        aria-busy={rows === undefined || stale}
        className={cx("w-full border-collapse break-keep", stale && "opacity-60")}
      >
        <caption className="sr-only">{label}</caption>
        <thead className="bg-sunken text-left text-[13px] text-soft">
          <tr>
            {columns.map((column) => (
              <Head key={column.id} column={column} sort={sort} {...(onSort ? { onSort } : {})} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows === undefined
            ? Array.from({ length: skeletonRows }, (_, index) => (
                <tr key={index} className="border-t border-line">
                  {columns.map((column) => (
                    <td key={column.id} className={cx("h-10 px-3", column.wide && "max-sm:hidden")}>
                      <Skeleton className="h-3.5 w-3/4" />
                    </td>
                  ))}
                </tr>
              ))
            : rows.map((row) => (
                <tr key={rowKey(row)} className="border-t border-line hover:bg-sunken">
                  {columns.map((column) => (
                    <td
                      key={column.id}
                      className={cx(
                        "h-10 px-3 py-1.5",
                        column.right && "text-right tabular-nums",
                        column.wide && "max-sm:hidden",
                        column.className,
                      )}
                    >
                      {column.cell(row)}
                    </td>
                  ))}
                </tr>
              ))}
        </tbody>
      </table>
      {rows === undefined && (
        <span role="status" className="sr-only">
          {t("common.loading")}
        </span>
      )}
    </div>
  );
}

function Head<T>({ column, sort, onSort }: { column: Column<T>; sort: Sort; onSort?: (sort: Sort) => void }) {
  const place = cx(
    "px-3 py-2 font-medium whitespace-nowrap",
    column.right && "text-right",
    column.wide && "max-sm:hidden",
    column.className,
  );
  const name = column.sort;
  if (!name || !onSort)
    return (
      <th scope="col" className={place}>
        {column.title}
      </th>
    );
  const state = sort === name ? "ascending" : sort === `-${name}` ? "descending" : "none";
  const next = state === "ascending" ? `-${name}` : state === "descending" ? undefined : name;
  const arrow = (
    <Icon name={state === "descending" ? "down" : "up"} className={cx("size-3", state === "none" && "opacity-0")} />
  );
  return (
    <th scope="col" aria-sort={state} className={place}>
      <button
        type="button"
        onClick={() => onSort(next)}
        className={cx(
          "flex items-center gap-1 hover:text-ink",
          column.right && "ml-auto",
          state !== "none" && "text-ink",
        )}
      >
        {column.right && arrow}
        {column.title}
        {!column.right && arrow}
      </button>
    </th>
  );
}

/** Cursor paging: back to the first page, on to the next, and how many there are. */
export function Pager({
  total,
  more = false,
  shown,
  next,
  atStart,
  onFirst,
  onNext,
}: {
  total?: number | null | undefined;
  /** There are more than `total`: the server stopped counting. */
  more?: boolean;
  shown: number | undefined;
  next: string | null | undefined;
  atStart: boolean;
  onFirst: () => void;
  onNext: (after: string) => void;
}) {
  const { t } = useTranslation();
  if (atStart && !next && !total) return null;
  return (
    <div className="mt-3 flex items-center justify-between gap-3 text-[13px] text-soft">
      <span role="status">
        {total != null && shown != null
          ? t("table.shown_of", { shown, total: `${total.toLocaleString("en-US")}${more ? "+" : ""}` })
          : ""}
      </span>
      <span className="flex gap-2">
        <Button size="sm" disabled={atStart} onClick={onFirst}>
          {t("table.first")}
        </Button>
        <Button size="sm" disabled={!next} onClick={() => next && onNext(next)}>
          {t("table.next")}
          <Icon name="right" className="size-3" />
        </Button>
      </span>
    </div>
  );
}
