/** One bar for each name. */
import { useCallback } from "react";

import { coloursOf } from "@/lib/series";

import ChartCanvas, { amounts, categories, GRID, tooltip, type Paint } from "./chart-canvas";

export interface Bar {
  /** Decides its colour. */
  id: string;
  name: string;
  value: number;
  /** What stands beside it, and what pointing at it tells. */
  shown: string;
  exact: string;
}

export default function BarsChart({
  bars,
  label,
  horizontal = false,
  colourful = false,
  axis,
}: {
  bars: readonly Bar[];
  label: string;
  horizontal?: boolean;
  /** Each bar in a colour of its own; otherwise all in one. */
  colourful?: boolean;
  axis: (value: number) => string;
}) {
  const draw = useCallback(
    (paint: Paint) => {
      const colours = coloursOf(bars);
      const names = {
        ...categories(
          paint,
          bars.map((bar) => bar.name),
        ),
        inverse: horizontal,
      };
      // A lying bar has its amount beside it, and under a short axis the labels would lie on each other.
      const values = amounts(paint, horizontal ? () => "" : axis);
      return {
        grid: { ...GRID, right: horizontal ? 96 : 8 },
        tooltip: {
          ...tooltip(paint),
          trigger: "item",
          formatter: ({ dataIndex }: { dataIndex: number }) => {
            const bar = bars[dataIndex];
            return bar ? `${bar.name}\n${bar.exact}` : "";
          },
        },
        xAxis: horizontal ? values : names,
        yAxis: horizontal ? names : values,
        series: [
          {
            type: "bar",
            barMaxWidth: horizontal ? 22 : 36,
            label: {
              show: horizontal,
              position: "right",
              color: paint("ink"),
              formatter: ({ dataIndex }: { dataIndex: number }) => bars[dataIndex]?.shown ?? "",
            },
            data: bars.map((bar, index) => ({
              value: bar.value,
              itemStyle: {
                color: colourful ? paint(colours[index] ?? "accent") : paint("accent"),
                borderRadius: horizontal ? [0, 3, 3, 0] : [3, 3, 0, 0],
              },
            })),
          },
        ],
      };
    },
    [bars, horizontal, colourful, axis],
  );
  return <ChartCanvas draw={draw} label={label} className={horizontal ? "h-64" : "h-72"} />;
}
