/** Sends a request from the page to the public API, and tells what comes back as it comes; follows the job that a
    request began. */
import { hasEnded, readJobEvents, type SeenJob } from "@/lib/jobs";

export interface Trial {
  method: string;
  path: string;
  headers: Readonly<Record<string, string>>;
  body: string | FormData | null;
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
  const form = trial.body instanceof FormData;
  const headers = Object.fromEntries(
    Object.entries(trial.headers)
      .filter(([name]) => !(form && name.toLowerCase() === "content-type")) // the browser sets a form's boundary
      .map(([name, value]) => [name, value.replace("$TOKENGATE_API_KEY", key)]),
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

const AGAIN_MS = 1000;

/** Hear how far a job is until it has ended. Raises what fetch raises. */
export async function followJob(
  id: string,
  key: string,
  onProgress: (job: SeenJob) => void,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const answer = await fetch(`/v1/jobs/${encodeURIComponent(id)}/events`, {
      headers: { Authorization: `Bearer ${key}` },
      signal,
      credentials: "omit",
    });
    if (answer.status < 500 && answer.status !== 429 && !answer.ok) return;
    if (answer.ok && answer.body && (await hear(answer.body, onProgress))) return;
    await pause(AGAIN_MS, signal); // the gateway stops, and another one will tell more
  }
}

/** Say whether the events went on until the job's end. */
async function hear(
  events: ReadableStream<Uint8Array<ArrayBuffer>>,
  onProgress: (job: SeenJob) => void,
): Promise<boolean> {
  const reader = events.pipeThrough(new TextDecoderStream()).getReader();
  let told = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return false;
    told += value;
    const job = readJobEvents(told);
    if (job) onProgress(job);
    if (job && hasEnded(job)) return true;
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(new DOMException("Aborted", "AbortError"));
      },
      { once: true },
    );
  });
}

export interface TrialBill {
  input_tokens: number | null;
  output_tokens: number | null;
  cost: string | null;
}

const TRIES = 10;
const PAUSE_MS = 200;

/** Ask what a call or a job used and cost; its record is there once it is over. Null when there is none. */
export async function fetchTrialBill(id: string, key: string, signal: AbortSignal): Promise<TrialBill | null> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const answer = await fetch(`/v1/usage/${encodeURIComponent(id)}`, {
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
