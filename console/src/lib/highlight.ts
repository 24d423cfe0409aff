/**
 * Colours for code. The highlighter and each language's grammar are loaded when code of that language is first shown.
 * Grammars run on the browser's own regular expressions: WebAssembly would need a hole in the content security policy.
 */
import type { HighlighterCore, LanguageInput } from "shiki/core";

const GRAMMARS: Record<string, () => Promise<LanguageInput>> = {
  bash: () => import("shiki/langs/bash.mjs"),
  c: () => import("shiki/langs/c.mjs"),
  csharp: () => import("shiki/langs/csharp.mjs"),
  dart: () => import("shiki/langs/dart.mjs"),
  go: () => import("shiki/langs/go.mjs"),
  http: () => import("shiki/langs/http.mjs"),
  java: () => import("shiki/langs/java.mjs"),
  javascript: () => import("shiki/langs/javascript.mjs"),
  json: () => import("shiki/langs/json.mjs"),
  "objective-c": () => import("shiki/langs/objective-c.mjs"),
  ocaml: () => import("shiki/langs/ocaml.mjs"),
  php: () => import("shiki/langs/php.mjs"),
  python: () => import("shiki/langs/python.mjs"),
  r: () => import("shiki/langs/r.mjs"),
  ruby: () => import("shiki/langs/ruby.mjs"),
  rust: () => import("shiki/langs/rust.mjs"),
  swift: () => import("shiki/langs/swift.mjs"),
  toml: () => import("shiki/langs/toml.mjs"),
};
const ALIASES: Record<string, string> = { shell: "bash", sh: "bash", console: "bash", js: "javascript", py: "python" };

// The theme's colours are names, which the page's style sheet turns into colours of the light or dark theme.
type Name = "keyword" | "string" | "number" | "function" | "comment";
const COLOURS: Record<string, Name> = {
  "#000001": "keyword",
  "#000002": "string",
  "#000003": "number",
  "#000004": "function",
  "#000005": "comment",
};
const THEME = {
  name: "tokengate",
  type: "light" as const,
  colors: { "editor.foreground": "#000000", "editor.background": "#ffffff" },
  tokenColors: [
    {
      scope: ["keyword", "storage", "entity.name.tag", "support.type.property-name"],
      settings: { foreground: "#000001" },
    },
    { scope: ["string", "punctuation.definition.string"], settings: { foreground: "#000002" } },
    { scope: ["constant", "variable.other.constant"], settings: { foreground: "#000003" } },
    {
      scope: ["entity.name.function", "support.function", "entity.name.type", "support.class"],
      settings: { foreground: "#000004" },
    },
    { scope: ["comment", "punctuation.definition.comment"], settings: { foreground: "#000005" } },
  ],
};

export interface Piece {
  text: string;
  kind: Name | null;
}

let core: Promise<HighlighterCore> | undefined;
const loaded = new Map<string, Promise<void>>();

async function start(): Promise<HighlighterCore> {
  const [{ createHighlighterCore }, { createJavaScriptRegexEngine }] = await Promise.all([
    import("shiki/core"),
    import("shiki/engine/javascript"),
  ]);
  return createHighlighterCore({
    themes: [THEME],
    langs: [],
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
}

/** Return the code's lines in pieces with their kinds; null when the language has no grammar here. */
export async function highlight(code: string, language: string): Promise<Piece[][] | null> {
  const name = ALIASES[language] ?? language;
  const grammar = GRAMMARS[name];
  if (!grammar) return null;
  const highlighter = await (core ??= start());
  let ready = loaded.get(name);
  if (!ready) {
    ready = grammar().then((input) => highlighter.loadLanguage(input));
    loaded.set(name, ready);
  }
  await ready;
  return highlighter
    .codeToTokensBase(code, { lang: name, theme: "tokengate" })
    .map((line) =>
      line.map((token) => ({ text: token.content, kind: COLOURS[token.color?.toLowerCase() ?? ""] ?? null })),
    );
}
