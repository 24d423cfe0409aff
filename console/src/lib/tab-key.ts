/**
 * The API key that was created or pasted in this tab, for the samples to show. In memory only: it is gone with the
 * tab, and never in storage, in a URL or in a request other than the reader's own.
 */
import { useSyncExternalStore } from "react";

let key: string | null = null;
const listeners = new Set<() => void>();

export function setTabKey(value: string | null): void {
  key = value;
  for (const listener of listeners) listener();
}

export function useTabKey(): string | null {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => key,
  );
}
