import { describe, expect, it } from "vitest";

import type { Upstream } from "@/api/types";
import { callsOf, shutModels, standingOf } from "@/lib/upstreams";

type Offered = Upstream["models"][number];

const offered = (model: string, more: Partial<Offered> = {}): Offered => ({
  model,
  state: "closed",
  failures: 0,
  open_until_ms: null,
  last_failure: "",
  answered: 0,
  failed: 0,
  ...more,
});
const upstream = (models: Offered[], engine: Upstream["engine"] = null): Upstream => ({
  name: "main",
  provider: "openai",
  address: "https://api.openai.com/v1",
  engine,
  in_flight: 0,
  models,
});

describe("an upstream as a whole", () => {
  it("stands as its model that is worst off", () => {
    expect(standingOf(upstream([offered("b", { state: "open" }), offered("a")]))).toBe("open");
    expect(standingOf(upstream([offered("a")]))).toBe("closed");
    expect(standingOf(upstream([]))).toBe("no_model");
  });

  it("is an engine that is not loaded before all else", () => {
    expect(standingOf(upstream([offered("joe")], "missing"))).toBe("missing");
    expect(standingOf(upstream([offered("joe", { state: "half-open" })], "ready"))).toBe("half-open");
  });

  it("counts the models that are left alone beside others that are not", () => {
    expect(shutModels(upstream([offered("b", { state: "disabled" }), offered("a")]))).toBe(1);
    expect(shutModels(upstream([offered("b", { state: "open" })]))).toBe(0);
    expect(shutModels(upstream([offered("a")]))).toBe(0);
  });

  it("adds up the calls of its models", () => {
    expect(callsOf(upstream([offered("b", { answered: 2, failed: 5 }), offered("a", { answered: 3 })]))).toEqual({
      answered: 5,
      failed: 5,
    });
  });
});
