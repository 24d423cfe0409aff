/** Pictures in an answer of OpenAI's image operations, whole or streamed, and such an answer made short enough to read. */

interface Picture {
  b64_json?: unknown;
  url?: unknown;
}

/** Beginnings of files in base64, with what they are. */
const KINDS: readonly [string, string][] = [
  ["iVBORw0KGgo", "image/png"],
  ["/9j/", "image/jpeg"],
  ["UklGR", "image/webp"],
  ["R0lGOD", "image/gif"],
];
const LONG = 400;

/** Return addresses of the pictures of an answer; those at a vendor's own address are not shown by this page. */
export function readPictures(body: string): string[] {
  const whole = parse(body) as { data?: unknown } | null;
  if (Array.isArray(whole?.data)) return whole.data.flatMap((one) => shown(one as Picture | null));
  const events = body.split("\n").filter((line) => line.startsWith("data:"));
  const last = events
    .map((line) => parse(line.slice("data:".length)) as Picture | null)
    .findLast((one) => one !== null);
  return shown(last ?? null);
}

function shown(picture: Picture | null): string[] {
  if (typeof picture?.b64_json !== "string") return [];
  const text = picture.b64_json;
  const kind = KINDS.find(([head]) => text.startsWith(head));
  return kind ? [`data:${kind[1]};base64,${text}`] : [];
}

/** Return JSON indented, with long texts cut: nobody reads a picture's base64. What is no JSON stays as it is. */
export function readable(body: string): string {
  const value = parse(body);
  if (value === null) return body;
  return JSON.stringify(
    value,
    (_, one: unknown) => (typeof one === "string" && one.length > LONG && !one.includes(" ") ? cut(one) : one),
    2,
  );
}

const cut = (text: string): string => `${text.slice(0, LONG / 4)}… (${text.length})`;

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
