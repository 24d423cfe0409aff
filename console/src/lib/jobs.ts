/** Jobs as the public API shows them: which one an answer is about, in any format, and how far it is. */

export interface JobFile {
  name: string;
  /** Media type, such as `audio/mpeg`. */
  type: string;
  /** Below this host, with a signature that stands for the key. */
  path: string;
}

export interface SeenJob {
  /** Under which its bill is kept, too. */
  id: string;
  state: "queued" | "running" | "succeeded" | "failed" | "cancelled" | "expired";
  percent: number;
  /** Why it failed. */
  error: string | null;
  files: JobFile[];
}

interface JobDocument {
  id: string;
  object: "job";
  state: SeenJob["state"];
  progress: number;
  files: { name: string; type: string; url: string }[] | null;
  error: { message: string } | null;
}

type Node = Record<string, unknown>;

export const hasEnded = (job: SeenJob): boolean => job.state !== "queued" && job.state !== "running";

/** Return the id of the one job that an answer names: a video, a task of DashScope or of music, or the job itself. */
export function jobIdOf(body: string): string | null {
  const answer = parse(body);
  if (answer["object"] === "job") return idIn(answer["id"], "job_");
  if (answer["object"] === "video") return idIn(answer["id"], "video_");
  const output = node(answer["output"]);
  if (typeof output["task_id"] === "string")
    return output["task_status"] === "UNKNOWN" ? null : `job_${output["task_id"].replaceAll("-", "")}`;
  const data = answer["data"];
  return idIn(typeof data === "string" ? data : node(data)["task_id"], "job_");
}

function idIn(id: unknown, head: string): string | null {
  return typeof id === "string" && id.startsWith(head) ? `job_${id.slice(head.length)}` : null;
}

/** Return the newest state of a job in events of it, of which the last may not be whole; null when there is none. */
export function readJobEvents(text: string): SeenJob | null {
  for (const line of text.split("\n").reverse()) {
    const job = line.startsWith("data:") ? parse(line.slice("data:".length)) : {};
    if (job["object"] === "job") return read(job as unknown as JobDocument);
  }
  return null;
}

function read(job: JobDocument): SeenJob {
  return {
    id: job.id,
    state: job.state,
    percent: job.progress,
    error: job.error?.message ?? null,
    files: (job.files ?? []).map(({ name, type, url }) => ({ name, type, path: belowThisHost(url) })),
  };
}

function parse(text: string): Node {
  try {
    return node(JSON.parse(text));
  } catch {
    return {};
  }
}

function node(value: unknown): Node {
  return typeof value === "object" && value !== null ? (value as Node) : {};
}

function belowThisHost(url: string): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
