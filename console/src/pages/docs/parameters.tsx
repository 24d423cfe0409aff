/** Parameters as a list: name, type, range, default, meaning; members of objects fold out. */
import { useTranslation } from "react-i18next";

import type { Parameter } from "@/api/types";
import { Badge } from "@/parts/notes";

export function ParameterList({ title, parameters }: { title: string; parameters: readonly Parameter[] }) {
  if (parameters.length === 0) return null;
  return (
    <section className="mt-4" aria-label={title}>
      <h3 className="text-[14px] font-semibold text-soft">{title}</h3>
      <Items parameters={parameters} />
    </section>
  );
}

function Items({ parameters }: { parameters: readonly Parameter[] }) {
  return (
    <ul className="mt-1 divide-y divide-line border-y border-line">
      {parameters.map((parameter) => (
        <Item key={parameter.name} parameter={parameter} />
      ))}
    </ul>
  );
}

function Item({ parameter }: { parameter: Parameter }) {
  const { t } = useTranslation();
  return (
    <li className="py-3">
      <div className="flex flex-wrap items-center gap-x-2.5 gap-y-1">
        <code className="font-mono text-[14px] font-semibold">{parameter.name}</code>
        <span className="font-mono text-[13px] text-faint">{parameter.type}</span>
        {parameter.required ? (
          <Badge tone="bad">{t("docs.required")}</Badge>
        ) : (
          <span className="text-[12px] text-faint">{t("common.optional")}</span>
        )}
      </div>
      {parameter.meaning && <p className="mt-1 max-w-[75ch]">{parameter.meaning}</p>}
      <Limits parameter={parameter} />
      {parameter.children.length > 0 && (
        <details className="mt-2 rounded-md border border-line px-3 py-1.5">
          <summary className="text-[13px] text-soft">{t("docs.members", { count: parameter.children.length })}</summary>
          <Items parameters={parameter.children} />
        </details>
      )}
    </li>
  );
}

function Limits({ parameter }: { parameter: Parameter }) {
  const { t } = useTranslation();
  if (!parameter.range && !parameter.default && parameter.enum.length === 0) return null;
  return (
    <p className="mt-1 flex flex-wrap gap-x-4 gap-y-1 text-[13px] text-soft">
      {parameter.range && (
        <span>
          {t("docs.range")} <code className="font-mono">{parameter.range}</code>
        </span>
      )}
      {parameter.default && (
        <span>
          {t("docs.default")} <code className="font-mono">{parameter.default}</code>
        </span>
      )}
      {parameter.enum.length > 0 && (
        <span className="flex flex-wrap items-center gap-1">
          {t("docs.one_of")}
          {parameter.enum.map((value) => (
            <code key={value} className="rounded-sm border border-line bg-code px-1 font-mono text-[12px]">
              {value}
            </code>
          ))}
        </span>
      )}
    </p>
  );
}
