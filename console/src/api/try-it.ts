/** Sends a request from the page to the public API, and tells what comes back as it comes. */

export interface Trial {
  method: string;
  path: string;
  headers: Readonly<Record<string, string>>;
  body: string | null;
}

export interface TrialAnswer {
  status: number;
  statusText: string;
  headers: [string, string][];
  body: string;
  /** A body that is not text, as an address to listen to, look at or save. */
  file: { url: string; type: string } | null;
  firstByteMs: number;
  totalMs: number | null;
  requestId: string | null;
  /** Whether it was a call that is paid for: such answers tell the wallet's balance. */
  billed: boolean;
}

const TEXT = /json|text|event-stream|xml|javascript/;

/** Send it; `onProgress` sees the answer grow. Raises what fetch raises. */
export async function sendTrial(
  trial: Trial,
  key: string,
  onProgress: (answer: TrialAnswer) => void,
  signal: AbortSignal,
): Promise<TrialAnswer> {
  const headers = Object.fromEntries(
    Object.entries(trial.headers).map(([name, value]) => [name, value.replace("$TOKENGATE_API_KEY", key)]),
  );
  const began = performance.now();
  const answer = await fetch(trial.path, {
    method: trial.method,
    headers,
    signal,
    credentials: "omit",
    ...(trial.body === null ? {} : { body: trial.body }),
  });
  const shown: TrialAnswer = {
    status: answer.status,
    statusText: answer.statusText,
    headers: [...answer.headers.entries()],
    body: "",
    file: null,
    firstByteMs: performance.now() - began,
    totalMs: null,
    requestId: answer.headers.get("x-request-id"),
    billed: answer.headers.has("x-account-balance"),
  };
  onProgress({ ...shown });
  const type = answer.headers.get("content-type") ?? "";
  if (answer.body && TEXT.test(type)) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      shown.body += value;
      onProgress({ ...shown });
    }
  } else shown.file = { url: URL.createObjectURL(await answer.blob()), type };
  shown.totalMs = performance.now() - began;
  onProgress({ ...shown });
  return shown;
}

export interface TrialBill {
  input_tokens: number | null;
  output_tokens: number | null;
  cost: string | null;
}

const TRIES = 10;
const PAUSE_MS = 200;

/** Ask what a call used and cost; its record is there once its last byte is out. Null when there is none. */
export async function fetchTrialBill(requestId: string, key: string, signal: AbortSignal): Promise<TrialBill | null> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const answer = await fetch(`/v1/usage/${encodeURIComponent(requestId)}`, {
      headers: { Authorization: `Bearer ${key}` },
      signal,
      credentials: "omit",
    });
    if (answer.ok) return readBill((await answer.json()) as Record<string, unknown>);
    if (answer.status !== 404) return null;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return null;
}

function readBill(record: Record<string, unknown>): TrialBill {
  const number = (value: unknown): number | null => (typeof value === "number" ? value : null);
  return {
    input_tokens: number(record["input_tokens"]),
    output_tokens: number(record["output_tokens"]),
    cost: typeof record["cost"] === "string" ? record["cost"] : null,
  };
}
