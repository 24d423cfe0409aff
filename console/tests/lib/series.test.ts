import { expect, test } from "vitest";

import { coloursOf, MAX_SERIES, OTHER, stack } from "@/lib/series";

const DAYS = [
  { day: "20261120", cost: "0.3" },
  { day: "20261121", cost: "1.000000002" },
];
const part = (day: string, id: string, cost: string) => ({ day, id, cost });

test("days split into few series have a value for every day, the dearest series first", () => {
  const parts = [part("20261120", "a", "0.3"), part("20261121", "a", "0.000000002"), part("20261121", "b", "1")];

  expect(stack(DAYS, parts, (id) => id.toUpperCase(), "Other")).toEqual([
    { id: "b", name: "B", values: ["0", "1"], total: "1" },
    { id: "a", name: "A", values: ["0.3", "0.000000002"], total: "0.300000002" },
  ]);
});

test("what is left of a day is the others', to the last digit", () => {
  const parts = [part("20261120", "a", "0.1"), part("20261121", "a", "0.7")];

  expect(stack(DAYS, parts, (id) => id, "Other").at(-1)).toEqual({
    id: OTHER,
    name: "Other",
    values: ["0.2", "0.300000002"],
    total: "0.500000002",
  });
});

test("more series than fit are the others', and every day still adds up", () => {
  const many = Array.from({ length: MAX_SERIES + 2 }, (_, number) =>
    part("20261121", `m${number}`, `0.0${number + 1}`),
  );

  const series = stack(DAYS, many, (id) => id, "Other");

  expect(series.map((one) => one.id)).toEqual(["m6", "m5", "m4", "m3", OTHER]);
  expect(series.at(-1)?.values).toEqual(["0.3", "0.780000002"]);
});

test("without calls there are no series", () => {
  expect(stack([{ day: "20261121", cost: "0" }], [], (id) => id, "Other")).toEqual([]);
});

test("on one chart no two series have the same colour, and alone each has the same everywhere", () => {
  const series = Array.from({ length: 8 }, (_, number) => ({ id: `model-${number}` }));

  expect(new Set(coloursOf(series)).size).toBe(8);
  expect(coloursOf([{ id: "qwen-plus" }, { id: OTHER }])).toEqual([
    coloursOf([{ id: "qwen-plus" }])[0],
    "series-other",
  ]);
});
