/** Code samples of a request. The chosen language and library are remembered for all pages. */
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

import { writeSamples, type SampleRequest } from "@/lib/samples";
import { recall, remember } from "@/lib/storage";
import { setTabKey, useTabKey } from "@/lib/tab-key";
import { Button } from "@/parts/button";
import { Code } from "@/parts/code";
import { Input, Select } from "@/parts/field";
import { Segmented } from "@/parts/tabs";

interface Given {
  request: SampleRequest;
  base: string;
  operation: string;
}

export function Samples({ request, base, operation }: Given) {
  const { t } = useTranslation();
  const key = useTabKey();
  const [language, setLanguage] = useState(() => recall("sample.language") ?? "shell");
  const [variant, setVariant] = useState(() => recall("sample.variant") ?? "");
  const samples = useMemo(
    () => writeSamples(request, { base_url: base, key, operation }),
    [request, base, key, operation],
  );
  const languages = useMemo(
    () => [...new Map(samples.map((sample) => [sample.language, sample.label])).entries()],
    [samples],
  );
  const chosen = languages.some(([id]) => id === language) ? language : (languages[0]?.[0] ?? "");
  const variants = samples.filter((sample) => sample.language === chosen);
  const sample = variants.find((one) => one.variant === variant) ?? variants[0];
  if (!sample) return null;
  return (
    <section aria-label={t("docs.samples")}>
      <div className="mb-2 flex flex-wrap items-end gap-2">
        <div className="w-40">
          <Select
            label={t("docs.language")}
            bare
            options={languages.map(([value, label]) => ({ value, label }))}
            value={chosen}
            onChange={(event) => {
              setLanguage(event.target.value);
              remember("sample.language", event.target.value);
            }}
          />
        </div>
        {variants.length > 1 && (
          <Segmented
            label={t("docs.library")}
            value={sample.variant}
            choices={variants.map((one) => ({ value: one.variant, label: one.variant_label }))}
            onChange={(next) => {
              setVariant(next);
              remember("sample.variant", next);
            }}
          />
        )}
      </div>
      <Code
        title={`${sample.label} · ${sample.variant_label}`}
        code={sample.code.trimEnd()}
        language={sample.highlight}
      />
      {sample.verified && (
        <p className="mt-2 text-[13px] text-soft">
          <span aria-hidden className="text-good">
            ✓{" "}
          </span>
          {t(`docs.verified_${sample.verified.how}`, { version: sample.verified.version })}
        </p>
      )}
      <KeyLine />
    </section>
  );
}

/** Whose key the samples show: the environment's, or one that this tab knows. */
function KeyLine() {
  const { t } = useTranslation();
  const key = useTabKey();
  const [pasting, setPasting] = useState(false);
  const [text, setText] = useState("");
  if (key)
    return (
      <p className="mt-2 text-[13px] text-soft">
        {t("docs.key_shown")}{" "}
        <button type="button" className="text-accent underline underline-offset-3" onClick={() => setTabKey(null)}>
          {t("docs.key_forget")}
        </button>
      </p>
    );
  if (!pasting)
    return (
      <p className="mt-2 text-[13px] text-soft">
        {t("docs.key_variable")}{" "}
        <button type="button" className="text-accent underline underline-offset-3" onClick={() => setPasting(true)}>
          {t("docs.key_paste")}
        </button>
      </p>
    );
  return (
    <form
      className="mt-2 flex items-start gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) setTabKey(text.trim());
        setText("");
        setPasting(false);
      }}
    >
      <div className="flex-1">
        <Input
          label={t("docs.key_label")}
          bare
          type="password"
          autoComplete="off"
          autoFocus
          placeholder="sk-…"
          hint={t("docs.key_hint")}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
      </div>
      <Button type="submit">{t("docs.key_use")}</Button>
    </form>
  );
}
