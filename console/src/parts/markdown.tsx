/**
 * Markdown as elements: no HTML of the text reaches the page, so a description from a catalogue cannot bring script.
 * Links within the portal are followed without loading the page again.
 */
import { Link } from "@tanstack/react-router";
import { Lexer, type Token, type Tokens } from "marked";
import { createElement, Fragment, useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { pageLink, slugOf } from "@/lib/slug";

import { Code } from "./code";

/** `base` is the slug of the document, from which its links go. */
export function Markdown({ text, base = "" }: { text: string; base?: string }) {
  const tokens = useMemo(() => new Lexer({ gfm: true }).lex(text), [text]);
  return <div className="prose">{blocks(tokens, base)}</div>;
}

function blocks(tokens: Token[], base: string): ReactNode[] {
  return tokens.map((token, index) => <Fragment key={index}>{block(token, base)}</Fragment>);
}

function block(token: Token, base: string): ReactNode {
  switch (token.type) {
    case "heading": {
      const { depth, text, tokens } = token as Tokens.Heading;
      return createElement(`h${depth}`, { id: slugOf(text) }, inline(tokens, base));
    }
    case "paragraph":
      return <p>{inline((token as Tokens.Paragraph).tokens, base)}</p>;
    case "text": {
      const { tokens, text } = token as Tokens.Text;
      return tokens ? inline(tokens, base) : text;
    }
    case "code": {
      const { text, lang } = token as Tokens.Code;
      return <Code code={text} language={lang ?? ""} />;
    }
    case "blockquote":
      return <blockquote>{blocks((token as Tokens.Blockquote).tokens, base)}</blockquote>;
    case "list": {
      const list = token as Tokens.List;
      const items = list.items.map((item, index) => <li key={index}>{blocks(item.tokens, base)}</li>);
      return list.ordered ? <ol start={list.start || 1}>{items}</ol> : <ul>{items}</ul>;
    }
    case "table": {
      const { header, rows } = token as Tokens.Table;
      return (
        <WideTable>
          <table>
            <thead>
              <tr>
                {header.map((cell, index) => (
                  <th key={index} scope="col">
                    {inline(cell.tokens, base)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map((row, at) => (
                <tr key={at}>
                  {row.map((cell, index) => (
                    <td key={index}>{inline(cell.tokens, base)}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </WideTable>
      );
    }
    case "hr":
      return <hr />;
    case "html":
      return (token as Tokens.HTML).text.trim().startsWith("<!--") ? null : (token as Tokens.HTML).text;
    default:
      return null;
  }
}

/** A table that may be wider than the text scrolls by itself, by keys too. */
function WideTable({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <div role="region" aria-label={t("models.table")} tabIndex={0} className="overflow-x-auto">
      {children}
    </div>
  );
}

function inline(tokens: Token[], base: string): ReactNode[] {
  return tokens.map((token, index) => <Fragment key={index}>{span(token, base)}</Fragment>);
}

function span(token: Token, base: string): ReactNode {
  switch (token.type) {
    case "strong":
      return <strong>{inline((token as Tokens.Strong).tokens, base)}</strong>;
    case "em":
      return <em>{inline((token as Tokens.Em).tokens, base)}</em>;
    case "del":
      return <del>{inline((token as Tokens.Del).tokens, base)}</del>;
    case "codespan":
      return <code>{unescaped((token as Tokens.Codespan).text)}</code>;
    case "br":
      return <br />;
    case "link": {
      const { href, tokens } = token as Tokens.Link;
      return <Anchor href={base ? pageLink(href, base) : href}>{inline(tokens, base)}</Anchor>;
    }
    case "image": {
      const { href, text } = token as Tokens.Image;
      return <img src={base ? pageLink(href, base) : href} alt={text} loading="lazy" />;
    }
    case "text": {
      const { tokens, text } = token as Tokens.Text;
      return tokens ? inline(tokens, base) : unescaped(text);
    }
    default:
      return unescaped("text" in token ? String(token.text) : token.raw);
  }
}

function Anchor({ href, children }: { href: string; children: ReactNode }) {
  if (href.startsWith("/") && !href.startsWith("//") && !/\.(json|md|txt)$/.test(href)) {
    const [to = "", hash] = href.split("#");
    return (
      <Link to={to} {...(hash ? { hash } : {})}>
        {children}
      </Link>
    );
  }
  if (/^(https?:|mailto:|#|\/)/.test(href)) {
    return href.startsWith("http") ? (
      <a href={href} rel="noreferrer">
        {children}
      </a>
    ) : (
      <a href={href}>{children}</a>
    );
  }
  return <span>{children}</span>;
}

const ENTITIES: Record<string, string> = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'" };
const unescaped = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|#39);/g, (entity) => ENTITIES[entity] ?? entity);
