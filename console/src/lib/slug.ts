/** Anchors of headings, as repositories and the server make them: Chinese stays, spaces become hyphens. */
export function slugOf(heading: string): string {
  return heading
    .replace(/[`*]|\[(.*?)\]\(.*?\)/g, "$1")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\- ]/gu, "")
    .trim()
    .replaceAll(" ", "-");
}

/** Where a link of the document at `slug` leads: files beside it are pages beside it. */
export function pageLink(href: string, slug: string): string {
  if (/^([a-z]+:|#|\/)/i.test(href)) return href;
  const [target = "", hash] = href.split("#");
  const parts = slug.split("/").slice(0, -1);
  for (const part of target.split("/"))
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  const joined = parts.join("/").replace(/(\.(zh|en))?\.md$/, "");
  return `/docs/${joined}${hash === undefined ? "" : `#${hash}`}`;
}
