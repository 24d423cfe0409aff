/** An AI application as a form edits it, and the form as the server takes it. */
import type { App, AppForm } from "@/api/types";

export interface AppDraft {
  name: string;
  model: string;
  titleZh: string;
  titleEn: string;
  descriptionZh: string;
  descriptionEn: string;
  system: string;
  parameters: string;
  allowedSome: boolean;
  allowed: string;
  ownPrice: boolean;
  per: "ktok" | "mtok";
  input: string;
  output: string;
  cacheRead: string;
  acceptPrice: boolean;
}

/** Price words that the form has fields for, and what is no word. */
const IN_FORM = new Set(["per", "currency", "input", "output", "cache_read"]);

export const isName = (text: string): boolean => /^[a-z0-9][a-z0-9_-]{0,63}$/.test(text);

/** The object of a JSON text, none for an empty one; null when it is something else. */
export function parametersOf(text: string): Record<string, unknown> | null {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

export function draftOf(app: App | null): AppDraft {
  const parameters = app?.parameters ?? {};
  return {
    name: app?.name ?? "",
    model: app?.model ?? "",
    titleZh: app?.title.zh ?? "",
    titleEn: app?.title.en ?? "",
    descriptionZh: app?.description.zh ?? "",
    descriptionEn: app?.description.en ?? "",
    system: app?.system ?? "",
    parameters: Object.keys(parameters).length > 0 ? JSON.stringify(parameters, null, 2) : "",
    allowedSome: app != null && app.allowed !== null,
    allowed: app?.allowed?.join(", ") ?? "",
    ownPrice: app != null && app.price !== null,
    per: app?.price?.per ?? "ktok",
    input: app?.price?.input ?? "",
    output: app?.price?.output ?? "",
    cacheRead: app?.price?.cache_read ?? "",
    acceptPrice: false,
  };
}

/** What a price has beside what the form edits: it stays. */
export function keptWords(app: App | null): string[] {
  return Object.entries(app?.price ?? {})
    .filter(([word, value]) => !IN_FORM.has(word) && value !== null && !(Array.isArray(value) && value.length === 0))
    .map(([word]) => word);
}

export function formOf(draft: AppDraft, app: App | null): AppForm {
  const named = draft.allowed.split(/[\s,，]+/).filter((name) => name !== "");
  return {
    model: draft.model.trim(),
    title: { zh: draft.titleZh.trim(), en: draft.titleEn.trim() },
    description: { zh: draft.descriptionZh.trim(), en: draft.descriptionEn.trim() },
    system: draft.system,
    parameters: parametersOf(draft.parameters) ?? {},
    allowed: draft.allowedSome ? named : null,
    price: draft.ownPrice
      ? {
          ...(app?.price ?? {}),
          per: draft.per,
          input: draft.input,
          output: draft.output,
          cache_read: draft.cacheRead || null,
        }
      : null,
    accept_price: draft.acceptPrice,
  };
}
