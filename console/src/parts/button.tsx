/** Buttons, and links that look like them. */
import { Link, type LinkProps } from "@tanstack/react-router";
import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";

import { cx } from "@/lib/class-names";

type Look = "primary" | "plain" | "quiet" | "danger";
type Size = "md" | "sm";

const BASE =
  "inline-flex items-center justify-center gap-1.5 rounded-md font-medium whitespace-nowrap transition-colors disabled:opacity-55 disabled:cursor-not-allowed";
const LOOKS: Record<Look, string> = {
  primary: "bg-accent text-on-accent hover:bg-accent-hover",
  plain: "bg-raised text-ink border border-line-strong hover:bg-hover",
  quiet: "text-soft hover:bg-hover hover:text-ink",
  danger: "bg-raised text-bad border border-bad hover:bg-bad-soft",
};
const SIZES: Record<Size, string> = { md: "h-9 px-3.5 text-[14px]", sm: "h-7 px-2.5 text-[13px]" };

const look = (kind: Look, size: Size, more?: string): string => cx(BASE, LOOKS[kind], SIZES[size], more);

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: Look;
  size?: Size;
  /** Something is under way: the button stays as wide as it is and takes no second press. */
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({ kind = "plain", size = "md", busy = false, className, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={rest.disabled === true || busy}
      aria-busy={busy}
      className={look(kind, size, className)}
    >
      {busy && <Spinner />}
      {children}
    </button>
  );
}

/** A button that is only an icon; `label` is its name and its tooltip. */
export function IconButton({
  label,
  children,
  className,
  ...rest
}: ButtonHTMLAttributes<HTMLButtonElement> & { label: string; ref?: Ref<HTMLButtonElement> }) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      {...rest}
      className={cx(
        "inline-flex size-8 shrink-0 items-center justify-center rounded-md text-soft transition-colors hover:bg-hover hover:text-ink disabled:opacity-50",
        className,
      )}
    >
      {children}
    </button>
  );
}

export function LinkButton({
  kind = "plain",
  size = "md",
  className,
  children,
  ...rest
}: LinkProps & { kind?: Look; size?: Size; className?: string; children: ReactNode }) {
  return (
    <Link {...rest} className={look(kind, size, className)}>
      {children}
    </Link>
  );
}

/** The same for an address that the server answers: a file, or a page of its own. */
export function AnchorButton({
  kind = "plain",
  size = "md",
  children,
  ...rest
}: {
  href: string;
  download?: boolean | string;
  target?: string;
  kind?: Look;
  size?: Size;
  children: ReactNode;
}) {
  return (
    <a {...rest} className={look(kind, size)}>
      {children}
    </a>
  );
}

export function Spinner() {
  return (
    <svg viewBox="0 0 16 16" className="size-3.5 animate-spin" aria-hidden="true">
      <circle cx="8" cy="8" r="6.5" fill="none" stroke="currentColor" strokeWidth="2" opacity="0.25" />
      <path d="M8 1.5A6.5 6.5 0 0 1 14.5 8" fill="none" stroke="currentColor" strokeWidth="2" />
    </svg>
  );
}
