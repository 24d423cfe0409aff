/** Light, dark, or as the system says. */
import { useSyncExternalStore } from "react";

import { forget, recall, remember } from "@/lib/storage";

export type Theme = "light" | "dark" | "system";

const listeners = new Set<() => void>();
const system = window.matchMedia("(prefers-color-scheme: dark)");

function chosen(): Theme {
  const value = recall("theme");
  return value === "light" || value === "dark" ? value : "system";
}

export function setTheme(theme: Theme): void {
  if (theme === "system") {
    forget("theme");
    delete document.documentElement.dataset["theme"];
  } else {
    remember("theme", theme);
    document.documentElement.dataset["theme"] = theme;
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  system.addEventListener("change", listener);
  return () => {
    listeners.delete(listener);
    system.removeEventListener("change", listener);
  };
}

export const useTheme = (): Theme => useSyncExternalStore(subscribe, chosen);

/** What is on the screen now. */
export const useDark = (): boolean =>
  useSyncExternalStore(subscribe, () => (chosen() === "system" ? system.matches : chosen() === "dark"));
