/** Times in the viewer's zone, with the exact UTC for who hovers; durations and counts as a person reads them. */

const zoned = new Map<string, Intl.DateTimeFormat>();

function formatter(language: string, withTime: boolean): Intl.DateTimeFormat {
  const key = `${language} ${withTime}`;
  let format = zoned.get(key);
  if (!format) {
    format = new Intl.DateTimeFormat(language, {
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      ...(withTime ? { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false } : {}),
    });
    zoned.set(key, format);
  }
  return format;
}

export const showTime = (ms: number, language: string): string => formatter(language, true).format(ms);
export const showDay = (ms: number, language: string): string => formatter(language, false).format(ms);
export const showUtc = (ms: number): string => `${new Date(ms).toISOString().replace("T", " ").slice(0, 23)} UTC`;

const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000_000],
  ["month", 2_592_000_000],
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** `3 minutes ago`, `in 2 days`; `now` within a minute, as the clock that it is told by stands still between ticks. */
export function showAgo(ms: number, nowMs: number, language: string): string {
  const away = ms - nowMs;
  const [unit, size] = STEPS.find(([, step]) => Math.abs(away) >= step) ?? ["second", Infinity];
  return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(Math.round(away / size), unit);
}

export function showDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
}

/** The value of an <input type="date"> for a time, in the viewer's zone. */
export function dayInput(ms: number): string {
  const at = new Date(ms);
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** The first millisecond of a day that an <input type="date"> gave, in the viewer's zone; null when it is none. */
export function startOfDay(day: string | undefined): number | null {
  if (!day || !/^\d{4}-\d{2}-\d{2}$/.test(day)) return null;
  const ms = new Date(`${day}T00:00:00`).getTime();
  return Number.isNaN(ms) ? null : ms;
}

export const DAY_MS = 86_400_000;
