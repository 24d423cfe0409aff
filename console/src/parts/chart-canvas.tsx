/** A place where ECharts draws, in the colours of the theme. A table with the same numbers is the page's job. */
import { BarChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { init, use as register, type EChartsCoreOption, type EChartsType } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";

import { useDark } from "@/lib/theme";

register([BarChart, GridComponent, TooltipComponent, CanvasRenderer]);

/** The colour of a variable of the theme, such as `line` or `series-0`. */
export type Paint = (variable: string) => string;

export default function ChartCanvas({
  draw,
  label,
  className,
}: {
  /** Its identity decides when it is drawn anew. */
  draw: (paint: Paint) => EChartsCoreOption;
  label: string;
  className: string;
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
    const probe = place.current;
    if (!probe) return;
    const css = getComputedStyle(probe);
    const paint: Paint = (variable) => {
      probe.style.color = `var(--${variable})`;
      return css.color;
    };
    const option = { animation: false, textStyle: { fontFamily: css.fontFamily }, ...draw(paint) };
    probe.style.color = "";
    chart.current?.setOption(option, { notMerge: true });
  }, [draw, dark]);
  return <div ref={place} role="img" aria-label={label} className={className} />;
}

/** What a pointed-at bar says. Its text is drawn on the canvas: the content security policy refuses styled markup. */
export const tooltip = (paint: Paint) => ({
  renderMode: "richText" as const,
  confine: true,
  backgroundColor: paint("raised"),
  borderColor: paint("line-strong"),
  borderWidth: 1,
  textStyle: { color: paint("ink"), fontSize: 13, lineHeight: 20 },
});

export const categories = (paint: Paint, names: readonly string[]) => ({
  type: "category" as const,
  data: [...names],
  axisTick: { show: false },
  axisLine: { lineStyle: { color: paint("line-strong") } },
  axisLabel: { color: paint("soft"), width: 160, overflow: "truncate" as const, hideOverlap: true },
});

/** Zero-based, with few lines. */
export const amounts = (paint: Paint, write: (value: number) => string) => ({
  type: "value" as const,
  min: 0,
  splitNumber: 4,
  splitLine: { lineStyle: { color: paint("line") } },
  axisLabel: { color: paint("faint"), formatter: write },
});

export const GRID = { left: 8, right: 8, top: 12, bottom: 8, outerBoundsMode: "same", outerBoundsContain: "axisLabel" };
