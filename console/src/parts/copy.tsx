/** Copy buttons: a press copies, and says so for a moment. */
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { cx } from "@/lib/class-names";

import { Icon } from "./icons";

const SAY_MS = 1600;

function useCopy(): [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(0);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(0), SAY_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (text: string) => {
    void write(text).then((done) => {
      if (done) setCopied((count) => count + 1);
    });
  };
  return [copied > 0, copy];
}

async function write(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Without https there is no clipboard interface; a selection still can be copied.
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "sr-only";
    (document.activeElement?.parentElement ?? document.body).append(area);
    area.select();
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way on a page without https
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}

/** An icon that copies; `label` says what. */
export function CopyButton({
  value,
  label,
  text,
  className,
}: {
  value: string;
  label?: string;
  text?: string;
  className?: string;
}) {
  const { t } = useTranslation();
  const [copied, copy] = useCopy();
  const name = copied ? t("common.copied") : (label ?? t("common.copy"));
  return (
    <button
      type="button"
      onClick={() => copy(value)}
      aria-label={name}
      title={name}
      className={cx(
        "inline-flex h-7 shrink-0 items-center justify-center gap-1.5 rounded-md text-[13px] text-soft transition-colors hover:bg-hover hover:text-ink",
        text ? "px-2" : "w-7",
        copied && "text-good",
        className,
      )}
    >
      <Icon name={copied ? "check" : "copy"} className="size-3.5" />
      {text && <span aria-hidden="true">{copied ? t("common.copied") : text}</span>}
      <span role="status" className="sr-only">
        {copied ? t("common.copied") : ""}
      </span>
    </button>
  );
}

/** A value in monospace with its copy button. */
export function Copyable({ value, show, label }: { value: string; show?: string; label?: string }) {
  return (
    <span className="inline-flex max-w-full min-w-0 items-center gap-0.5">
      <code className="truncate font-mono text-[0.93em]" title={show ? value : undefined}>
        {show ?? value}
      </code>
      <CopyButton value={value} {...(label ? { label } : {})} />
    </span>
  );
}
