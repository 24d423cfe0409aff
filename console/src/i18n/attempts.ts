/** How an attempt at an upstream ended, in words. */
import type { TFunction } from "i18next";

const ENDS = [
  "ok",
  "connect",
  "timeout",
  "cut",
  "empty",
  "too_large",
  "invalid",
  "request",
  "auth",
  "quota",
  "limited",
  "status",
] as const;

export function attemptTitle(outcome: string, t: TFunction): string {
  const known = ENDS.find((one) => one === outcome);
  return known ? t(`calls.attempt_${known}`) : outcome;
}
