/** What a person reads in an answer of a chat model, whole or streamed, in OpenAI's or Anthropic's format. */

interface Spoken {
  thinking: string;
  text: string;
}

type Node = Record<string, unknown>;

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const node = (value: unknown): Node => (typeof value === "object" && value !== null ? (value as Node) : {});

/** Return the words of an answer; null when it has none, as an error or an embedding has. */
export function readSpoken(body: string): Spoken | null {
  const spoken: Spoken = { thinking: "", text: "" };
  if (body.startsWith("data:") || body.startsWith("event:") || body.startsWith(":")) {
    for (const line of body.split("\n")) {
      if (!line.startsWith("data:")) continue;
      const piece = parse(line.slice("data:".length));
      if (piece) add(spoken, piece);
    }
  } else {
    const whole = parse(body);
    if (whole) add(spoken, whole);
  }
  return spoken.text || spoken.thinking ? spoken : null;
}

function parse(data: string): Node | null {
  try {
    return node(JSON.parse(data));
  } catch {
    return null; // `[DONE]`, or a line that has not arrived whole
  }
}

function add(spoken: Spoken, piece: Node): void {
  const choice = node(Array.isArray(piece["choices"]) ? piece["choices"][0] : null);
  const message = node(choice["delta"] ?? choice["message"]);
  spoken.thinking += text(message["reasoning_content"] ?? message["reasoning"]);
  spoken.text += text(message["content"]) + text(choice["text"]);
  if (piece["type"] === "content_block_delta") {
    const delta = node(piece["delta"]);
    spoken.text += text(delta["text"]);
    spoken.thinking += text(delta["thinking"]);
  }
}
