/** What a person reads in an answer, whole or streamed: of a chat in OpenAI's, Anthropic's or DashScope's format, or of a
    transcription. */

interface Spoken {
  thinking: string;
  text: string;
}

type Node = Record<string, unknown>;

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const node = (value: unknown): Node => (typeof value === "object" && value !== null ? (value as Node) : {});

/** Return the words of an answer; null when it has none, as an error or an embedding has. */
export function readSpoken(body: string): Spoken | null {
  const streamed = ["data:", "event:", "id:", ":"].some((start) => body.startsWith(start));
  const pieces = streamed ? piecesOf(body) : [parse(body)].filter((whole) => whole !== null);
  const told = pieces.map(read);
  const add = pieces.some((piece) => piece["output"] === undefined) ? join : lastOrJoin;
  const spoken = {
    thinking: add(told.map((piece) => piece.thinking)),
    text: add(told.map((piece) => piece.text)),
  };
  return spoken.text || spoken.thinking ? spoken : null;
}

function piecesOf(body: string): Node[] {
  const data = body.split("\n").filter((line) => line.startsWith("data:"));
  return data.map((line) => parse(line.slice("data:".length))).filter((piece) => piece !== null);
}

const join = (pieces: string[]): string => pieces.join("");

/** Put DashScope's events together, each of which may carry all that was said so far: then the last one has it. */
function lastOrJoin(pieces: string[]): string {
  const last = pieces.at(-1) ?? "";
  const grows = last !== "" && pieces.every((piece, at) => piece.startsWith(pieces[at - 1] ?? ""));
  return grows ? last : join(pieces);
}

function parse(data: string): Node | null {
  try {
    return node(JSON.parse(data));
  } catch {
    return null; // `[DONE]`, or a line that has not arrived whole
  }
}

function read(piece: Node): Spoken {
  const output = piece["output"] === undefined ? piece : node(piece["output"]); // DashScope's
  const choice = node(Array.isArray(output["choices"]) ? output["choices"][0] : null);
  const message = node(choice["delta"] ?? choice["message"]);
  const spoken: Spoken = {
    thinking: text(message["reasoning_content"] ?? message["reasoning"]),
    text: contentText(message["content"]) + text(choice["text"]) + text(node(piece["output"])["text"]),
  };
  if (piece["type"] === "transcript.text.delta") spoken.text += text(piece["delta"]);
  if (piece["type"] === undefined) spoken.text += text(piece["text"]); // a whole transcript
  if (piece["type"] === "content_block_delta") {
    const delta = node(piece["delta"]);
    spoken.text += text(delta["text"]);
    spoken.thinking += text(delta["thinking"]);
  }
  return spoken;
}

/** Return the text of a content, which may be a list of parts. */
function contentText(content: unknown): string {
  return Array.isArray(content) ? content.map((part) => text(node(part)["text"])).join("") : text(content);
}
