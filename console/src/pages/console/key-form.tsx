/** Making a key, and changing what it may do. */
import { useState, type SyntheticEvent } from "react";
import { useTranslation } from "react-i18next";

import { useCreateKey, useEditKey } from "@/api/keys";
import { useWallets } from "@/api/money";
import { useProjects } from "@/api/orgs";
import type { ApiKey, CreatedKey, KeyBudget, KeyForm as Form, KeyPatch } from "@/api/types";
import { isAmount } from "@/lib/money";
import { dayInput, DAY_MS, startOfDay } from "@/lib/time";
import { Button } from "@/parts/button";
import { Input, Select, Textarea } from "@/parts/field";
import { ErrorNote } from "@/parts/notes";
import { ApiError } from "@/api/client";

const PERIODS = ["day", "week", "month", "never"] as const;
const IP = /^[0-9a-f.:]+(\/\d{1,3})?$/i;

interface Draft {
  name: string;
  project: string;
  wallet: string;
  expires: string;
  models: string;
  ips: string;
  perMinute: string;
  tokensPerMinute: string;
  concurrency: string;
  spendPerDay: string;
  budget: string;
  period: KeyBudget["period"];
}

const lines = (text: string): string[] =>
  text
    .split(/[\s,,]+/)
    .map((line) => line.trim())
    .filter((line) => line !== "");

const shown = (value: number | string | null | undefined): string => (value == null ? "" : String(value));

function draftOf(key: ApiKey | null): Draft {
  return {
    name: key?.name ?? "",
    project: key?.project_id ?? "",
    wallet: key?.wallet_id ?? "",
    expires: key?.expires_ms != null ? dayInput(key.expires_ms - 1) : "",
    models: key?.models.join("\n") ?? "",
    ips: key?.ips.join("\n") ?? "",
    perMinute: shown(key?.limits.requests_per_minute),
    tokensPerMinute: shown(key?.limits.tokens_per_minute),
    concurrency: shown(key?.limits.concurrency),
    spendPerDay: shown(key?.limits.spend_per_day_yuan),
    budget: shown(key?.budget?.amount_yuan),
    period: key?.budget?.period ?? "month",
  };
}

const isCount = (text: string): boolean => text === "" || /^[1-9]\d{0,8}$/.test(text);
const isAmountOrNone = (text: string): boolean => text === "" || isAmount(text);
const count = (text: string): number | null => (text === "" ? null : Number(text));

function inputOf(draft: Draft): Form {
  const day = startOfDay(draft.expires);
  return {
    name: draft.name.trim(),
    ...(draft.project ? { project_id: draft.project } : {}),
    ...(draft.wallet ? { wallet_id: draft.wallet } : {}),
    expires_ms: day === null ? null : day + DAY_MS,
    models: lines(draft.models),
    ips: lines(draft.ips),
    limits: {
      requests_per_minute: count(draft.perMinute),
      tokens_per_minute: count(draft.tokensPerMinute),
      concurrency: count(draft.concurrency),
      spend_per_day_yuan: draft.spendPerDay || null,
    },
    budget: draft.budget ? { amount_yuan: draft.budget, period: draft.period } : null,
  };
}

/** The project and the wallet of a key stay as they are. */
function patchOf(draft: Draft): KeyPatch {
  const { project_id: _project, wallet_id: _wallet, ...rest } = inputOf(draft);
  return rest;
}

export function KeyForm({
  apiKey = null,
  onCreated,
  onSaved,
  onCancel,
}: {
  apiKey?: ApiKey | null;
  onCreated?: (created: CreatedKey) => void;
  onSaved?: () => void;
  onCancel: () => void;
}) {
  const { t } = useTranslation();
  const projects = useProjects();
  const wallets = useWallets();
  const create = useCreateKey();
  const edit = useEditKey();
  const [draft, setDraft] = useState(() => draftOf(apiKey));
  const set = (change: Partial<Draft>) => setDraft((old) => ({ ...old, ...change }));
  const error = create.error ?? edit.error;
  const badIps = lines(draft.ips).filter((ip) => !IP.test(ip));
  const wrong =
    badIps.length > 0 ||
    ![draft.perMinute, draft.tokensPerMinute, draft.concurrency].every(isCount) ||
    ![draft.spendPerDay, draft.budget].every(isAmountOrNone);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (wrong) return;
    if (apiKey) edit.mutate({ id: apiKey.id, change: patchOf(draft) }, { onSuccess: () => onSaved?.() });
    else create.mutate(inputOf(draft), { onSuccess: (created) => onCreated?.(created) });
  };
  const countField = (label: string, value: string, change: (text: string) => void) => (
    <Input
      label={label}
      inputMode="numeric"
      placeholder={t("common.unlimited")}
      value={value}
      onChange={(event) => change(event.target.value.trim())}
      problem={isCount(value) ? null : t("keys.not_a_count")}
    />
  );
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {error && <ErrorNote error={error} />}
      <Input
        label={t("keys.name")}
        hint={t("keys.name_hint")}
        required
        maxLength={100}
        autoFocus
        value={draft.name}
        problem={error instanceof ApiError && error.param === "name" ? error.message : null}
        onChange={(event) => set({ name: event.target.value })}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <Select
          label={t("keys.project")}
          options={[
            ...(apiKey ? [] : [{ value: "", label: t("keys.default_project") }]),
            ...(projects.data?.data ?? []).map((project) => ({ value: project.id, label: project.name })),
          ]}
          value={draft.project}
          disabled={apiKey !== null}
          onChange={(event) => set({ project: event.target.value })}
        />
        <Select
          label={t("keys.wallet")}
          options={[
            ...(apiKey ? [] : [{ value: "", label: t("keys.default_wallet") }]),
            ...(wallets.data?.data ?? []).map((wallet) => ({ value: wallet.id, label: wallet.name })),
          ]}
          value={draft.wallet}
          disabled={apiKey !== null}
          onChange={(event) => set({ wallet: event.target.value })}
        />
        <Input
          label={t("keys.expires")}
          type="date"
          hint={t("keys.expires_hint")}
          value={draft.expires}
          onChange={(event) => set({ expires: event.target.value })}
        />
      </div>
      <details open={apiKey !== null} className="rounded-md border border-line px-4 py-2">
        <summary className="py-1 font-medium">{t("keys.restrictions")}</summary>
        <div className="flex flex-col gap-4 py-3">
          <div className="grid gap-4 sm:grid-cols-2">
            <Input
              label={t("keys.budget")}
              inputMode="decimal"
              placeholder={t("common.unlimited")}
              value={draft.budget}
              onChange={(event) => set({ budget: event.target.value.trim() })}
              problem={isAmountOrNone(draft.budget) ? null : t("keys.not_an_amount")}
            />
            <Select
              label={t("keys.period")}
              options={PERIODS.map((period) => ({ value: period, label: t(`keys.period_${period}`) }))}
              value={draft.period}
              disabled={draft.budget === ""}
              onChange={(event) => set({ period: PERIODS.find((period) => period === event.target.value) ?? "month" })}
            />
            {countField(t("keys.requests_per_minute"), draft.perMinute, (perMinute) => set({ perMinute }))}
            {countField(t("keys.tokens_per_minute"), draft.tokensPerMinute, (tokensPerMinute) =>
              set({ tokensPerMinute }),
            )}
            {countField(t("keys.concurrency"), draft.concurrency, (concurrency) => set({ concurrency }))}
            <Input
              label={t("keys.spend_per_day")}
              inputMode="decimal"
              placeholder={t("common.unlimited")}
              value={draft.spendPerDay}
              onChange={(event) => set({ spendPerDay: event.target.value.trim() })}
              problem={isAmountOrNone(draft.spendPerDay) ? null : t("keys.not_an_amount")}
            />
          </div>
          <Textarea
            label={t("keys.models")}
            hint={t("keys.models_hint")}
            rows={3}
            className="font-mono text-[13px]"
            value={draft.models}
            onChange={(event) => set({ models: event.target.value })}
          />
          <Textarea
            label={t("keys.ips")}
            hint={t("keys.ips_hint")}
            rows={3}
            className="font-mono text-[13px]"
            problem={badIps.length > 0 ? t("keys.not_an_ip", { ip: badIps[0] }) : null}
            value={draft.ips}
            onChange={(event) => set({ ips: event.target.value })}
          />
        </div>
      </details>
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>{t("common.cancel")}</Button>
        <Button type="submit" kind="primary" disabled={wrong} busy={create.isPending || edit.isPending}>
          {apiKey ? t("common.save") : t("keys.create")}
        </Button>
      </div>
    </form>
  );
}
