/** What a page says instead of, or beside, its content: errors, empty states, hints, skeletons, badges. */
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "@/api/client";
import { cx } from "@/lib/class-names";

import { Button } from "./button";
import { Copyable } from "./copy";

/** What happened, why, what to do next, and the request id to quote. */
export function ErrorNote({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  const api = error instanceof ApiError ? error : null;
  const message = api
    ? api.code === "unreachable"
      ? t("errors.unreachable")
      : api.status >= 500
        ? t("errors.defect")
        : api.message || t("errors.unknown")
    : t("errors.page");
  return (
    <div role="alert" className="rounded-md border border-bad bg-bad-soft p-3 text-[14px]">
      <p className="font-medium text-bad">{message}</p>
      {api?.retryAfterS != null && <p className="mt-1">{t("errors.retry_after", { seconds: api.retryAfterS })}</p>}
      {!api && error instanceof Error && <p className="mt-1 font-mono text-[13px] text-soft">{error.message}</p>}
      {(api?.requestId ?? onRetry) && (
        <div className="mt-2 flex flex-wrap items-center gap-3 text-[13px] text-soft">
          {api?.requestId && (
            <span className="inline-flex items-center gap-1">
              {t("errors.request_id")} <Copyable value={api.requestId} />
            </span>
          )}
          {onRetry && (
            <Button size="sm" onClick={onRetry}>
              {t("common.retry")}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

/** What this place will show, and the one thing that fills it. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-center gap-2 px-6 py-12 text-center">
      <p className="text-[15px] font-medium">{title}</p>
      {children && <div className="max-w-[56ch] text-soft">{children}</div>}
      {action && <div className="mt-2">{action}</div>}
    </div>
  );
}

export type Tone = "neutral" | "accent" | "good" | "warn" | "bad";
const TONES: Record<Tone, string> = {
  neutral: "bg-hover text-soft",
  accent: "bg-accent-soft text-accent",
  good: "bg-good-soft text-good",
  warn: "bg-warn-soft text-warn",
  bad: "bg-bad-soft text-bad",
};

export function Badge({ tone = "neutral", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span
      className={cx(
        "inline-flex items-center rounded-sm px-1.5 py-px text-[12px] font-medium whitespace-nowrap",
        TONES[tone],
      )}
    >
      {children}
    </span>
  );
}

const METHODS: Record<string, Tone> = { GET: "good", POST: "accent", PUT: "warn", PATCH: "warn", DELETE: "bad" };

export function Method({ method }: { method: string }) {
  return (
    <span
      className={cx(
        "inline-block rounded-sm px-1.5 py-px font-mono text-[11px] font-semibold",
        TONES[METHODS[method] ?? "neutral"],
      )}
    >
      {method}
    </span>
  );
}

export function Note({ tone = "accent", children }: { tone?: "accent" | "warn"; children: ReactNode }) {
  return (
    <div
      className={cx(
        "rounded-md border-l-4 px-3.5 py-2.5",
        tone === "warn" ? "border-warn bg-warn-soft" : "border-accent bg-accent-soft",
      )}
    >
      {children}
    </div>
  );
}

/** Holds the place of something of this size that is on its way. */
export function Skeleton({ className }: { className: string }) {
  return <div aria-hidden="true" className={cx("animate-pulse rounded-sm bg-hover", className)} />;
}

export function PageSkeleton() {
  const { t } = useTranslation();
  return (
    <div role="status" aria-label={t("common.loading")} className="flex max-w-[75ch] flex-col gap-3">
      <Skeleton className="h-8 w-2/5" />
      <Skeleton className="h-4 w-full" />
      <Skeleton className="h-4 w-11/12" />
      <Skeleton className="h-4 w-4/5" />
      <Skeleton className="mt-4 h-40 w-full" />
    </div>
  );
}
