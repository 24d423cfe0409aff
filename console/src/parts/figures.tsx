/** Money, times and counts, each with its exact value where the shown one is shorter. */
import { useTranslation } from "react-i18next";

import { shorten, showCount } from "@/lib/count";
import { yuan, yuanTotal } from "@/lib/money";
import { showAgo, showTime, showUtc } from "@/lib/time";
import { useNow } from "@/lib/now";

/** Yuan with every digit; a total is rounded to what a person reads, a balance down, with the rest on hover. */
export function Money({
  value,
  total = false,
  balance = false,
}: {
  value: string;
  total?: boolean;
  balance?: boolean;
}) {
  const exact = yuan(value);
  const shown = balance ? yuanTotal(value, "down") : total ? yuanTotal(value) : exact;
  return (
    <span className="font-mono tabular-nums whitespace-nowrap" title={shown === exact ? undefined : exact}>
      {shown}
    </span>
  );
}

export function Time({ ms, ago = false }: { ms: number; ago?: boolean }) {
  const { i18n } = useTranslation();
  const now = useNow();
  const language = i18n.language === "zh" ? "zh-CN" : "en-GB";
  const exact = showTime(ms, language);
  return (
    <time
      dateTime={new Date(ms).toISOString()}
      title={`${exact} · ${showUtc(ms)}`}
      className="whitespace-nowrap tabular-nums"
    >
      {ago ? showAgo(ms, now, language) : exact}
    </time>
  );
}

export function Tokens({ count }: { count: number }) {
  const short = shorten(count);
  return (
    <span className="tabular-nums" title={short === String(count) ? undefined : showCount(count)}>
      {short}
    </span>
  );
}
