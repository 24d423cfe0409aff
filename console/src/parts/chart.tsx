/** Bars, drawn by ECharts when they are first shown, in the colours of the theme. A table with the same numbers is the page's job. */
import { BarChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { init, use as register, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";

import { colourOf } from "@/lib/series";
import { useDark } from "@/lib/theme";

register([BarChart, GridComponent, TooltipComponent, CanvasRenderer]);

// Told apart by people who see few colours, on white and on black.
const LIGHT = ["#1f4fd8", "#b4530a", "#0f766e", "#9d174d", "#6d28d9", "#4d7c0f", "#0369a1", "#78716c"];
const DARK = ["#86a8ff", "#f0a35e", "#5eead4", "#f9a8d4", "#c4b5fd", "#bef264", "#7dd3fc", "#d6d3d1"];

export interface Bar {
  name: string;
  value: number;
  shown: string;
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
  /** Each bar in the colour of its name; otherwise all in one. */
  colourful?: boolean;
  axis: (value: number) => string;
}) {
  const dark = useDark();
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(null);
  useEffect(() => {
    if (!place.current) return;
    const drawn = init(place.current);
    chart.current = drawn;
    const observer = new ResizeObserver(() => drawn.resize());
    observer.observe(place.current);
    return () => {
      observer.disconnect();
      drawn.dispose();
    };
  }, []);
  useEffect(() => {
    const css = getComputedStyle(document.documentElement);
    const colour = (name: string): string => css.getPropertyValue(`--${name}`).trim();
    const palette = dark ? DARK : LIGHT;
    const names = {
      type: "category" as const,
      data: bars.map((bar) => bar.name),
      inverse: horizontal,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: colour("line-strong") } },
      axisLabel: { color: colour("soft"), width: 160, overflow: "truncate" as const },
    };
    const values = {
      type: "value" as const,
      min: 0,
      splitNumber: 4,
      splitLine: { lineStyle: { color: colour("line") } },
      axisLabel: { color: colour("faint"), formatter: axis },
    };
    chart.current?.setOption(
      {
        animation: false,
        textStyle: { fontFamily: css.fontFamily },
        grid: {
          left: 8,
          right: horizontal ? 96 : 8,
          top: 12,
          bottom: 8,
          outerBoundsMode: "same",
          outerBoundsContain: "axisLabel",
        },
        // Its text is drawn on the canvas: markup with styles is refused by the content security policy.
        tooltip: {
          renderMode: "richText",
          trigger: "item",
          backgroundColor: colour("raised"),
          borderColor: colour("line"),
          textStyle: { color: colour("ink") },
          formatter: (item: { dataIndex: number }) => {
            const bar = bars[item.dataIndex];
            return bar ? `${bar.name}\n${bar.shown}` : "";
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
              color: colour("ink"),
              formatter: (item: { dataIndex: number }) => bars[item.dataIndex]?.shown ?? "",
            },
            data: bars.map((bar) => ({
              value: bar.value,
              itemStyle: {
                color: colourful ? palette[colourOf(bar.name)] : colour("accent"),
                borderRadius: horizontal ? [0, 3, 3, 0] : [3, 3, 0, 0],
              },
            })),
          },
        ],
      },
      { notMerge: true },
    );
  }, [bars, horizontal, colourful, axis, dark]);
  return <div ref={place} role="img" aria-label={label} className={horizontal ? "h-64" : "h-72"} />;
}
