/**
 * The request that a sample sends, read once for all languages: a URL, headers of which one may hold the key, and a
 * body that is JSON or a form with files.
 */

export const KEY_VARIABLE = "TOKENGATE_API_KEY";
const PLACEHOLDER = `$${KEY_VARIABLE}`;

/** As an endpoint page gives it: the body is JSON, or its text. In a form's body a value such as `@speech.mp3` is a file. */
export interface SampleRequest {
  method: string;
  path: string;
  headers: Readonly<Record<string, string>>;
  body: unknown;
}

export interface SampleOptions {
  /** Where the gateway is, such as `https://ai.example.com`. */
  base_url: string;
  /** The key to show; without one the samples read it from the environment. */
  key?: string | null;
  /** The operation whose page this is, to say how its samples were verified. */
  operation?: string;
}

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export interface Header {
  name: string;
  /** What comes before the key, or the whole value when there is no key in it. */
  text: string;
  /** Whether the key from the environment follows. */
  secret: boolean;
}

export type Field = { name: string; value: string } | { name: string; file: string };

export type Body = { kind: "none" } | { kind: "json"; value: Json } | { kind: "form"; fields: Field[] };

export interface Plan {
  method: string;
  baseUrl: string;
  path: string;
  url: string;
  headers: Header[];
  body: Body;
  /** The answer comes in pieces, to be shown as they come. */
  stream: boolean;
  /** The answer is text that is no JSON, to be shown as it is. */
  text: boolean;
  /** The answer is a file, and this its name. */
  binary: string | null;
  key: string | null;
}

export function readPlan(request: SampleRequest, options: SampleOptions): Plan {
  const key = options.key ?? null;
  const baseUrl = options.base_url.replace(/\/+$/, "");
  const entries = Object.entries(request.headers);
  const form = entries.some(([name, value]) => isType(name) && value.startsWith("multipart/"));
  const body = readBody(request.body, form);
  const headers = entries
    .filter(([name]) => !(isType(name) && form)) // a form's own boundary is set by what sends it
    .map(([name, value]): Header => {
      const at = value.indexOf(PLACEHOLDER);
      if (at < 0) return { name, text: value, secret: false };
      const text = value.slice(0, at);
      return key === null ? { name, text, secret: true } : { name, text: text + key, secret: false };
    });
  if (body.kind === "json" && !entries.some(([name]) => isType(name)))
    headers.push({ name: "Content-Type", text: "application/json", secret: false });
  return {
    method: request.method.toUpperCase(),
    baseUrl,
    path: request.path,
    url: baseUrl + request.path,
    headers,
    body,
    stream:
      (body.kind === "json" && isObject(body.value) && body.value["stream"] === true) ||
      /:stream|\/events$/.test(request.path),
    text: /(\/metrics|\.(txt|md))$/.test(request.path) || (body.kind === "form" && body.fields.some(wantsText)),
    binary: fileOf(request.path),
    key,
  };
}

/** The name for an answer that is a file. */
function fileOf(path: string): string | null {
  if (path.endsWith("/audio/speech")) return "speech.mp3";
  if (/\/videos\/[^/]+\/content$/.test(path)) return "video.mp4";
  const result = /\/v1\/results\/[^/]+\/([\w.-]+)/.exec(path);
  if (result?.[1]) return result[1];
  return path.endsWith(".png") ? path.slice(path.lastIndexOf("/") + 1) : null;
}

export const isObject = (value: Json): value is { [name: string]: Json } =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export const isFile = (field: Field): field is { name: string; file: string } => "file" in field;

const wantsText = (field: Field): boolean =>
  field.name === "response_format" && !isFile(field) && /^(text|srt|vtt)$/.test(field.value);

const isType = (name: string): boolean => name.toLowerCase() === "content-type";

function readBody(body: unknown, form: boolean): Body {
  if (body === null || body === undefined || body === "") return { kind: "none" };
  const value = (typeof body === "string" ? JSON.parse(body) : body) as Json;
  if (!form || !isObject(value)) return { kind: "json", value };
  const fields = Object.entries(value).flatMap(([name, given]): Field[] =>
    (Array.isArray(given) ? given : [given]).map((one) => {
      const text = typeof one === "string" ? one : JSON.stringify(one);
      return text.startsWith("@") ? { name, file: text.slice(1) } : { name, value: text };
    }),
  );
  return { kind: "form", fields };
}

export const pretty = (value: Json): string => JSON.stringify(value, null, 2);
