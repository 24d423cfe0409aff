/** A block of code with colours, a title and a copy button. It is readable before the colours arrive. */
import { useQuery } from "@tanstack/react-query";
import { Fragment, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { cx } from "@/lib/class-names";
import { highlight } from "@/lib/highlight";

import { CopyButton } from "./copy";

export function Code({
  code,
  language = "",
  title,
  actions,
  copy,
  tall = false,
  className,
}: {
  code: string;
  language?: string;
  title?: ReactNode;
  actions?: ReactNode;
  /** What the button copies when it is not what is shown. */
  copy?: string;
  tall?: boolean;
  className?: string;
}) {
  const { t } = useTranslation();
  const { data: lines } = useQuery({
    queryKey: ["highlight", language, code],
    queryFn: () => highlight(code, language),
    enabled: language !== "" && code.length < 100_000,
    staleTime: Infinity,
    gcTime: 60_000,
  });
  return (
    <figure className={cx("group min-w-0 overflow-hidden rounded-md border border-line bg-code", className)}>
      {(title ?? actions) && (
        <figcaption className="flex items-center justify-between gap-2 border-b border-line px-3 py-1.5 text-[13px] text-soft">
          <span className="min-w-0 truncate">{title}</span>
          <span className="flex items-center">
            {actions}
            <CopyButton value={copy ?? code} label={t("common.copy_code")} />
          </span>
        </figcaption>
      )}
      <div className="flex items-start">
        <pre
          role="region"
          aria-label={typeof title === "string" ? title : t("common.code")}
          tabIndex={0}
          className={cx(
            "min-w-0 grow overflow-auto p-3 font-mono text-[13px] leading-[1.6] -outline-offset-2",
            tall ? "max-h-[75vh]" : "max-h-[28rem]",
          )}
        >
          <code>
            {lines
              ? lines.map((line, index) => (
                  <Fragment key={index}>
                    {index > 0 && "\n"}
                    {line.map((piece, at) =>
                      piece.kind ? (
                        <span key={at} className={`tok-${piece.kind}`}>
                          {piece.text}
                        </span>
                      ) : (
                        piece.text
                      ),
                    )}
                  </Fragment>
                ))
              : code}
          </code>
        </pre>
        {!title && !actions && (
          <span className="shrink-0 pt-1.5 pr-1.5">
            <CopyButton value={copy ?? code} label={t("common.copy_code")} />
          </span>
        )}
      </div>
    </figure>
  );
}
