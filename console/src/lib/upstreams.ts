/** What the models of an upstream say about it as a whole. */
import type { Upstream } from "@/api/types";

type Standing = Upstream["models"][number]["state"] | "missing" | "loading" | "failed" | "no_model";

/** An engine that is not loaded, else the breaker of the model that is worst off, which comes first. */
export function standingOf({ engine, models }: Upstream): Standing {
  if (engine !== null && engine !== "ready") return engine;
  return models[0]?.state ?? "no_model";
}

/** How many models calls are kept away from, if not from all. */
export function shutModels({ models }: Upstream): number {
  const shut = models.filter((one) => one.state !== "closed").length;
  return shut < models.length ? shut : 0;
}

/** All calls since the gateway started. */
export const callsOf = ({ models }: Upstream): { answered: number; failed: number } => ({
  answered: models.reduce((sum, one) => sum + one.answered, 0),
  failed: models.reduce((sum, one) => sum + one.failed, 0),
});
