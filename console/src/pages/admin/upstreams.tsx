/** The upstreams and how they are doing, looked at again every few seconds. */
import { useTranslation } from "react-i18next";

import { useUpstreams } from "@/api/admin";
import type { Upstream } from "@/api/types";
import { attemptTitle } from "@/i18n/attempts";
import { showCount } from "@/lib/count";
import { callsOf, shutModels, standingOf } from "@/lib/upstreams";
import { Time } from "@/parts/figures";
import { Badge, Empty, type Tone } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { Table, type Column } from "@/parts/table";

const SHOWN_MODELS = 3;
const TONES: Record<ReturnType<typeof standingOf>, Tone> = {
  closed: "good",
  "half-open": "warn",
  open: "bad",
  disabled: "bad",
  loading: "accent",
  missing: "neutral",
  failed: "bad",
  no_model: "neutral",
};

export function UpstreamsPage() {
  const { t } = useTranslation();
  const upstreams = useUpstreams();
  const columns: Column<Upstream>[] = [
    { id: "name", title: t("upstreams.upstream"), cell: (upstream) => <NameCell upstream={upstream} /> },
    { id: "breaker", title: t("upstreams.breaker"), cell: (upstream) => <BreakerCell upstream={upstream} /> },
    { id: "models", title: t("upstreams.models"), cell: (upstream) => <ModelsCell models={upstream.models} /> },
    {
      id: "answered",
      title: t("upstreams.answered"),
      right: true,
      cell: (upstream) => showCount(callsOf(upstream).answered),
    },
    {
      id: "failed",
      title: t("upstreams.failed"),
      right: true,
      cell: (upstream) => showCount(callsOf(upstream).failed),
    },
    { id: "in_flight", title: t("upstreams.in_flight"), right: true, cell: (upstream) => upstream.in_flight },
  ];
  return (
    <>
      <PageHeader title={t("upstreams.title")}>{t("upstreams.lead")}</PageHeader>
      <Table
        label={t("upstreams.title")}
        columns={columns}
        rows={upstreams.data?.data}
        rowKey={(upstream) => `${upstream.name} ${upstream.engine === null ? "" : upstream.models[0]?.model}`}
        error={upstreams.error}
        onRetry={() => void upstreams.refetch()}
        empty={
          <Empty title={t("upstreams.none")}>
            {t("upstreams.none_text")} <code className="font-mono text-[13px]">[[upstream]]</code>
          </Empty>
        }
      />
    </>
  );
}

function NameCell({ upstream }: { upstream: Upstream }) {
  const { t } = useTranslation();
  return (
    <>
      <span className="font-medium">{upstream.name}</span>
      {upstream.engine === null ? (
        <>
          <span className="block text-[13px] text-soft">{upstream.provider}</span>
          <span className="block max-w-64 text-[13px] break-all text-faint max-sm:max-w-36">{upstream.address}</span>
        </>
      ) : (
        <span className="block text-[13px] text-faint">{t("upstreams.in_process")}</span>
      )}
    </>
  );
}

function BreakerCell({ upstream }: { upstream: Upstream }) {
  const { t } = useTranslation();
  const standing = standingOf(upstream);
  const shut = shutModels(upstream);
  const worst = upstream.models[0];
  return (
    <>
      <Badge tone={TONES[standing]}>{t(`upstreams.state_${standing}`)}</Badge>
      {shut > 0 && (
        <span className="ms-1.5 text-[13px] whitespace-nowrap text-soft">
          {t("upstreams.some", { shut, all: upstream.models.length })}
        </span>
      )}
      {worst?.open_until_ms != null && (
        <span className="block text-[13px] text-soft">
          {t("upstreams.until")} <Time ms={worst.open_until_ms} />
        </span>
      )}
      {worst !== undefined && (worst.failures > 0 || worst.state !== "closed") && (
        <span className="block text-[13px] text-soft">
          {worst.failures > 0 && `${t("upstreams.failures", { failures: worst.failures })} · `}
          {attemptTitle(worst.last_failure, t)}
        </span>
      )}
    </>
  );
}

function ModelsCell({ models }: { models: Upstream["models"] }) {
  const { t } = useTranslation();
  const rest = models.slice(SHOWN_MODELS);
  return (
    <>
      <Models models={models.slice(0, SHOWN_MODELS)} />
      {rest.length > 0 && (
        <details>
          <summary className="cursor-pointer text-[13px] text-accent">
            {t("upstreams.more_models", { more: rest.length })}
          </summary>
          <Models models={rest} />
        </details>
      )}
    </>
  );
}

function Models({ models }: { models: Upstream["models"] }) {
  const { t } = useTranslation();
  return (
    <ul className="text-[13px]">
      {models.map((one) => (
        <li key={one.model} className="whitespace-nowrap">
          <span className="font-mono">{one.model}</span>{" "}
          {one.state !== "closed" && <Badge tone={TONES[one.state]}>{t(`upstreams.state_${one.state}`)}</Badge>}
        </li>
      ))}
    </ul>
  );
}
