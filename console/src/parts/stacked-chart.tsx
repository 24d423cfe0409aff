/** A bar for each day, made of what its series add; pointing at a day tells each to the last digit. */
import { useCallback } from "react";

import { approximate, isZero, yuan } from "@/lib/money";
import { coloursOf, type Series } from "@/lib/series";

import ChartCanvas, { amounts, categories, GRID, tooltip, type Paint } from "./chart-canvas";
import { Money } from "./figures";

interface Pointed {
  dataIndex: number;
  seriesIndex: number;
  marker: string;
}

export default function StackedChart({
  days,
  totals,
  series,
  label,
  total,
  axis,
}: {
  days: readonly string[];
  /** Of each day, in yuan. */
  totals: readonly string[];
  series: readonly Series[];
  label: string;
  /** What the sum of a day is called. */
  total: string;
  axis: (value: number) => string;
}) {
  const draw = useCallback(
    (paint: Paint) => {
      const colours = coloursOf(series);
      return {
        grid: GRID,
        tooltip: {
          ...tooltip(paint),
          trigger: "axis",
          axisPointer: { type: "shadow", z: 0, shadowStyle: { color: paint("hover"), opacity: 0.6 } },
          formatter: (pointed: Pointed[]) => {
            const at = pointed[0]?.dataIndex ?? 0;
            const lines = pointed
              .toReversed()
              .map(({ seriesIndex, marker }) => ({ marker, of: series[seriesIndex] }))
              .flatMap(({ marker, of }) => {
                const value = of?.values[at] ?? "0";
                return of && !isZero(value) ? [`${marker} ${of.name}  ${yuan(value)}`] : [];
              });
            return [days[at], ...lines, `${total}  ${yuan(totals[at] ?? "0")}`].join("\n");
          },
        },
        xAxis: categories(paint, days),
        yAxis: amounts(paint, axis),
        series: series.map((one, index) => ({
          type: "bar",
          name: one.name,
          stack: "day",
          barMaxWidth: 36,
          // A bar of nothing would draw its hairlines over the axis.
          data: one.values.map((value) => (isZero(value) ? null : approximate(value))),
          itemStyle: {
            color: paint(colours[index] ?? "accent"),
            // A hairline keeps neighbours apart for who does not tell their colours.
            borderColor: paint("canvas"),
            borderWidth: 1,
          },
        })),
      };
    },
    [days, totals, series, total, axis],
  );
  return (
    <>
      <Legend series={series} />
      <ChartCanvas draw={draw} label={label} className="h-72" />
    </>
  );
}

function Legend({ series }: { series: readonly Series[] }) {
  const colours = coloursOf(series);
  return (
    <ul className="flex flex-wrap gap-x-5 gap-y-1 px-1 pb-1 text-[13px]">
      {series.map((one, index) => (
        <li key={one.id} className="flex min-w-0 items-center gap-1.5">
          <svg aria-hidden="true" viewBox="0 0 10 10" className="size-2.5 shrink-0">
            <rect width="10" height="10" rx="2" fill={`var(--${colours[index]})`} />
          </svg>
          <span className="truncate">{one.name}</span>
          <span className="text-soft">
            <Money value={one.total} total />
          </span>
        </li>
      ))}
    </ul>
  );
}
