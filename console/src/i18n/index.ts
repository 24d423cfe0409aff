/** The page's words: Chinese or English, loaded when they are needed. The server is asked in the same language. */
import i18next from "i18next";
import { initReactI18next } from "react-i18next";

import { remember } from "@/lib/storage";

import type { Words } from "./zh";

export type Language = "zh" | "en";

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: Words };
    returnNull: false;
  }
}

const TAGS: Record<Language, string> = { zh: "zh-CN", en: "en" };

async function words(language: Language): Promise<Words> {
  return language === "zh" ? (await import("./zh")).zh : (await import("./en")).en;
}

export function currentLanguage(): Language {
  return document.documentElement.lang.startsWith("zh") ? "zh" : "en";
}

export async function startWords(): Promise<void> {
  const language = currentLanguage();
  await i18next.use(initReactI18next).init({
    lng: language,
    resources: { [language]: { translation: await words(language) } },
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
  });
}

export async function setLanguage(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, "translation"))
    i18next.addResourceBundle(language, "translation", await words(language));
  remember("language", language);
  document.documentElement.lang = TAGS[language];
  await i18next.changeLanguage(language);
}
