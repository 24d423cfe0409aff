/** A sentence that says that something was done, for a few seconds. Errors never come this way: they stay in place. */
import { Toast as RadixToast } from "radix-ui";
import { createContext, useCallback, useContext, useMemo, useState, type ReactNode } from "react";

import { Icon } from "./icons";

const SHOWN_MS = 4000;
const Say = createContext<(text: string) => void>(() => undefined);

export const useSay = (): ((text: string) => void) => useContext(Say);

export function Toasts({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState<{ id: number; text: string }[]>([]);
  const say = useCallback(
    (text: string) => setSaid((old) => [...old.slice(-2), { id: (old.at(-1)?.id ?? 0) + 1, text }]),
    [],
  );
  const value = useMemo(() => say, [say]);
  return (
    <Say.Provider value={value}>
      <RadixToast.Provider duration={SHOWN_MS}>
        {children}
        {said.map(({ id, text }) => (
          <RadixToast.Root
            key={id}
            onOpenChange={(open) => {
              if (!open) setSaid((old) => old.filter((one) => one.id !== id));
            }}
            className="flex items-center gap-2 rounded-md border border-line bg-raised px-3.5 py-2.5 shadow-float"
          >
            <Icon name="check" className="size-4 text-good" />
            <RadixToast.Title>{text}</RadixToast.Title>
          </RadixToast.Root>
        ))}
        <RadixToast.Viewport className="fixed right-4 bottom-4 z-60 flex w-[min(24rem,calc(100vw-2rem))] flex-col gap-2 outline-none" />
      </RadixToast.Provider>
    </Say.Provider>
  );
}
