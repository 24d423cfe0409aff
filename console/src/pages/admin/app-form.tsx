/** Publishing an AI application, and changing what it is. */
import { useId, useState, type SyntheticEvent } from "react";
import { useTranslation } from "react-i18next";

import { useChangeApp, useMakeApp } from "@/api/admin";
import { ApiError } from "@/api/client";
import { useModels } from "@/api/portal";
import type { App, AppForm as Form } from "@/api/types";
import { draftOf, formOf, isName, keptWords, parametersOf, type AppDraft } from "@/lib/apps";
import { isAmount } from "@/lib/money";
import { Button } from "@/parts/button";
import { Checkbox, Input, Select, Textarea } from "@/parts/field";
import { ErrorNote } from "@/parts/notes";

const MANY = 200;

export function AppForm({ app, onSaved, onCancel }: { app: App | null; onSaved: () => void; onCancel: () => void }) {
  const { t } = useTranslation();
  const make = useMakeApp();
  const change = useChangeApp();
  const models = useModels({ kind: ["chat"] }, MANY);
  const list = useId();
  const [draft, setDraft] = useState(() => draftOf(app));
  const set = (next: Partial<AppDraft>) => setDraft((old) => ({ ...old, ...next }));
  const error = make.error ?? change.error;
  const refused = error instanceof ApiError ? error : null;
  const atField = (param: string) => (refused?.param === param ? refused.message : null);
  const moved = refused?.code === "price_moved";
  const nameOk = app !== null || isName(draft.name);
  const parametersOk = parametersOf(draft.parameters) !== null;
  const amountOk = (text: string, needed: boolean) => (text === "" ? !needed : isAmount(text));
  const priceOk =
    !draft.ownPrice ||
    (amountOk(draft.input, true) && amountOk(draft.output, true) && amountOk(draft.cacheRead, false));
  const wrong = !nameOk || draft.model.trim() === "" || !parametersOk || !priceOk;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (wrong) return;
    const form: Form = formOf(draft, app);
    if (app) change.mutate({ name: app.name, form }, { onSuccess: onSaved });
    else make.mutate({ ...form, name: draft.name }, { onSuccess: onSaved });
  };
  const amount = (label: string, name: "input" | "output" | "cacheRead", hint?: string) => (
    <Input
      label={label}
      inputMode="decimal"
      required={name !== "cacheRead"}
      {...(hint ? { hint } : {})}
      value={draft[name]}
      problem={draft[name] !== "" && !isAmount(draft[name]) ? t("keys.not_an_amount") : null}
      onChange={(event) => set({ [name]: event.target.value.trim() })}
    />
  );
  const kept = keptWords(app);
  const per = draft.per === "ktok" ? "1K" : "1M";
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {error && <ErrorNote error={error} />}
      <div className="grid gap-4 sm:grid-cols-2">
        {app === null && (
          <Input
            label={t("apps.name")}
            hint={t("apps.name_hint")}
            required
            autoFocus
            maxLength={64}
            value={draft.name}
            problem={draft.name !== "" && !nameOk ? t("apps.not_a_name") : atField("name")}
            onChange={(event) => set({ name: event.target.value.trim() })}
          />
        )}
        <div>
          <Input
            label={t("apps.model")}
            hint={t("apps.model_hint")}
            required
            maxLength={200}
            list={list}
            value={draft.model}
            problem={atField("model")}
            onChange={(event) => set({ model: event.target.value })}
          />
          <datalist id={list}>
            {models.data?.data
              .filter((model) => model.status === "released" && !model.id.startsWith("app/"))
              .map((model) => (
                <option key={model.id} value={model.id} />
              ))}
          </datalist>
        </div>
      </div>
      <Textarea
        label={t("apps.system")}
        hint={t("apps.system_hint")}
        rows={5}
        value={draft.system}
        onChange={(event) => set({ system: event.target.value })}
      />
      <details open={app !== null} className="rounded-md border border-line px-4 py-2">
        <summary className="py-1 font-medium">{t("apps.texts")}</summary>
        <div className="grid gap-4 py-3 sm:grid-cols-2">
          {(["titleZh", "titleEn"] as const).map((name) => (
            <Input
              key={name}
              label={t(name === "titleZh" ? "apps.title_zh" : "apps.title_en")}
              maxLength={100}
              value={draft[name]}
              onChange={(event) => set({ [name]: event.target.value })}
            />
          ))}
          {(["descriptionZh", "descriptionEn"] as const).map((name) => (
            <Textarea
              key={name}
              label={t(name === "descriptionZh" ? "apps.description_zh" : "apps.description_en")}
              rows={2}
              maxLength={2000}
              value={draft[name]}
              onChange={(event) => set({ [name]: event.target.value })}
            />
          ))}
        </div>
      </details>
      <Textarea
        label={t("apps.parameters")}
        hint={t("apps.parameters_hint")}
        rows={3}
        className="font-mono text-[13px]"
        value={draft.parameters}
        problem={parametersOk ? atField("parameters") : t("apps.not_an_object")}
        onChange={(event) => set({ parameters: event.target.value })}
      />
      <div className="grid gap-4 sm:grid-cols-2">
        <Select
          label={t("apps.allowed")}
          options={[
            { value: "all", label: t("apps.allowed_all") },
            { value: "some", label: t("apps.allowed_some") },
          ]}
          value={draft.allowedSome ? "some" : "all"}
          onChange={(event) => set({ allowedSome: event.target.value === "some" })}
        />
        {draft.allowedSome && (
          <Input
            label={t("apps.allowed_names")}
            hint={t("apps.allowed_hint")}
            className="font-mono text-[13px]"
            value={draft.allowed}
            problem={refused?.param?.startsWith("allowed") ? refused.message : null}
            onChange={(event) => set({ allowed: event.target.value })}
          />
        )}
      </div>
      <div className="grid gap-4 sm:grid-cols-2">
        <Select
          label={t("apps.price")}
          options={[
            { value: "model", label: t("apps.price_model") },
            { value: "own", label: t("apps.price_own") },
          ]}
          value={draft.ownPrice ? "own" : "model"}
          problem={moved ? null : atField("price")}
          onChange={(event) => set({ ownPrice: event.target.value === "own" })}
        />
        {draft.ownPrice && (
          <>
            {amount(t("apps.price_input", { per }), "input")}
            {amount(t("apps.price_output", { per }), "output")}
            {amount(t("apps.price_cache"), "cacheRead", t("apps.price_cache_hint"))}
          </>
        )}
      </div>
      {draft.ownPrice && kept.length > 0 && (
        <p className="text-[13px] text-faint">{t("apps.price_kept", { words: kept.join(", ") })}</p>
      )}
      {(moved || draft.acceptPrice) && (
        <Checkbox
          label={t("apps.accept_price")}
          checked={draft.acceptPrice}
          onChange={(acceptPrice) => set({ acceptPrice })}
        />
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onCancel}>{t("common.cancel")}</Button>
        <Button type="submit" kind="primary" disabled={wrong} busy={make.isPending || change.isPending}>
          {app ? t("common.save") : t("apps.create")}
        </Button>
      </div>
    </form>
  );
}
