/**
 * One way to the console API: JSON in and out, the session's CSRF token on every change, one kind of error.
 * The server words errors by Accept-Language; the page adds its own words for codes that it knows.
 */
export const ROOT = "/console/api";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code: string | null,
    readonly param: string | null,
    readonly requestId: string | null,
    readonly retryAfterS: number | null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

let csrfToken = "";

/** Remember the token that the session's answer carries. */
export function setCsrfToken(token: string): void {
  csrfToken = token;
}

export type Query = Record<string, string | number | boolean | readonly string[] | null | undefined>;

/** Return a path with the query's values that say something. */
export function withQuery(path: string, query: Query): string {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined || value === null || value === "") continue;
    if (typeof value === "object") for (const one of value) given.append(name, one);
    else given.set(name, String(value));
  }
  const text = given.toString();
  return text ? `${path}?${text}` : path;
}

interface Wire {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  query?: Query;
  body?: unknown;
  /** A retry with the same key changes nothing twice. */
  idempotencyKey?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** Call the console API. Raises ApiError; status 0 when the server cannot be reached. */
export async function call<T>(
  path: string,
  { method = "GET", query = {}, body, idempotencyKey, signal }: Wire = {},
): Promise<T> {
  const headers: Record<string, string> = {
    Accept: "application/json",
    "Accept-Language": document.documentElement.lang,
  };
  if (method !== "GET") headers["X-CSRF-Token"] = csrfToken || (await fetchCsrfToken());
  if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer: Response;
  try {
    answer = await fetch(withQuery(ROOT + path, query), {
      method,
      headers,
      credentials: "same-origin",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError(0, error instanceof Error ? error.message : String(error), "unreachable", null, null, null);
  }
  if (answer.status === 204) return undefined as T;
  const text = await answer.text();
  if (!answer.ok) throw readError(answer, text);
  return (text ? JSON.parse(text) : undefined) as T;
}

/** A press may come before the page's session has arrived. */
async function fetchCsrfToken(): Promise<string> {
  const { csrf_token } = await call<{ csrf_token: string }>("/session");
  setCsrfToken(csrf_token);
  return csrf_token;
}

function readError(answer: Response, text: string): ApiError {
  let error: { message?: string; code?: string | null; param?: string | null; request_id?: string | null } = {};
  try {
    error = (JSON.parse(text) as { error?: typeof error }).error ?? {};
  } catch {
    // Not ours: a proxy's page. Its status is all that is known.
  }
  const retryAfter = Number(answer.headers.get("retry-after"));
  return new ApiError(
    answer.status,
    error.message ?? answer.statusText,
    error.code ?? null,
    error.param ?? null,
    error.request_id ?? answer.headers.get("x-request-id"),
    retryAfter > 0 ? retryAfter : null,
  );
}
