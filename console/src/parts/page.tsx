/** The frame of a page's content: its title, what it is, its actions. */
import type { ReactNode } from "react";

import { cx } from "@/lib/class-names";
import { useTitle } from "@/lib/title";

export function PageHeader({ title, children, actions }: { title: string; children?: ReactNode; actions?: ReactNode }) {
  useTitle(title);
  return (
    <header className="mb-5 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
      <div className="min-w-0">
        <h1 className="text-[22px] leading-tight font-semibold">{title}</h1>
        {children && <div className="mt-1 max-w-[75ch] text-soft">{children}</div>}
      </div>
      {actions && <div className="flex flex-wrap items-center gap-2">{actions}</div>}
    </header>
  );
}

export function Section({
  title,
  actions,
  children,
  className,
}: {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section className={cx("mt-8", className)}>
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <h2 className="text-[16px] font-semibold">{title}</h2>
        {actions}
      </div>
      {children}
    </section>
  );
}

export function Card({ children, className }: { children: ReactNode; className?: string }) {
  return <div className={cx("rounded-lg border border-line bg-raised p-4", className)}>{children}</div>;
}

/** Names and values, one below the other. */
export function Facts({ facts, wide = false }: { facts: readonly [string, ReactNode][]; wide?: boolean }) {
  return (
    <dl
      className={cx(
        "grid gap-x-6 gap-y-3",
        wide ? "grid-cols-2 sm:grid-cols-3 lg:grid-cols-4" : "grid-cols-1 sm:grid-cols-2",
      )}
    >
      {facts.map(([name, value]) => (
        <div key={name} className="min-w-0">
          <dt className="text-[13px] text-faint">{name}</dt>
          <dd className="mt-0.5 min-w-0">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** One number with its name. */
export function Stat({ name, children, hint }: { name: string; children: ReactNode; hint?: ReactNode }) {
  return (
    <Card>
      <p className="text-[13px] text-faint">{name}</p>
      <p className="mt-1 text-[22px] leading-tight font-semibold">{children}</p>
      {hint && <p className="mt-1 text-[13px] text-soft">{hint}</p>}
    </Card>
  );
}
