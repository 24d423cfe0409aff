/** The tree of all documents, as a list of links in folders. The folder of the open page is open. */
import { Link, useRouterState } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useTree } from "@/api/portal";
import type { TreeNode } from "@/api/types";
import { cx } from "@/lib/class-names";
import { Icon } from "@/parts/icons";
import { ErrorNote, Method, Skeleton } from "@/parts/notes";

export function DocTree() {
  const { t } = useTranslation();
  const tree = useTree();
  const path = useRouterState({ select: (state) => decodeURI(state.location.pathname) });
  if (tree.error) return <ErrorNote error={tree.error} onRetry={() => void tree.refetch()} />;
  if (!tree.data)
    return (
      <div className="flex flex-col gap-2.5 p-2">
        {Array.from({ length: 14 }, (_, index) => (
          <Skeleton key={index} className={cx("h-4", index % 4 === 0 ? "w-1/2" : "ml-4 w-3/5")} />
        ))}
      </div>
    );
  const slug = path.startsWith("/docs/") ? path.slice("/docs/".length) : null;
  return (
    <nav aria-label={t("layout.tree")} className="text-[14px]">
      <Branch nodes={tree.data.data} slug={slug} depth={0} />
    </nav>
  );
}

function Branch({ nodes, slug, depth }: { nodes: readonly TreeNode[]; slug: string | null; depth: number }) {
  return (
    <ul className={cx(depth > 0 && "ml-3 border-l border-line pl-1.5")}>
      {nodes.map((node) => (
        <li key={node.slug ?? node.href ?? node.title}>
          {node.children.length > 0 ? <Folder node={node} slug={slug} depth={depth} /> : <Leaf node={node} />}
        </li>
      ))}
    </ul>
  );
}

const holds = (node: TreeNode, slug: string | null): boolean =>
  slug !== null && (node.slug === slug || node.children.some((child) => holds(child, slug)));

function Folder({ node, slug, depth }: { node: TreeNode; slug: string | null; depth: number }) {
  const inside = holds(node, slug);
  const [open, setOpen] = useState(inside || depth === 0);
  const [wasInside, setWasInside] = useState(inside);
  if (inside !== wasInside) {
    setWasInside(inside);
    if (inside) setOpen(true);
  }
  return (
    <>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className={cx(
          "flex w-full items-center gap-1.5 rounded-md px-1.5 py-1 text-left hover:bg-hover",
          depth === 0 ? "mt-2 font-semibold" : "text-soft hover:text-ink",
        )}
      >
        <Icon name="right" className={cx("size-3 text-faint transition-transform", open && "rotate-90")} />
        <span className="min-w-0">{node.title}</span>
      </button>
      {open && <Branch nodes={node.children} slug={slug} depth={depth + 1} />}
    </>
  );
}

function Leaf({ node }: { node: TreeNode }) {
  const { t } = useTranslation();
  const name = (
    <>
      <span className="min-w-0 flex-1 break-words">{node.title}</span>
      {node.status === "developing" && (
        <span title={t("docs.developing")} className="shrink-0 text-warn">
          <span aria-hidden="true">○</span>
          <span className="sr-only">{t("docs.developing")}</span>
        </span>
      )}
      {node.method && <Method method={node.method} />}
    </>
  );
  const look =
    "flex items-center gap-1.5 rounded-md px-1.5 py-1 text-soft hover:bg-hover hover:text-ink data-[status=active]:bg-accent-soft data-[status=active]:font-medium data-[status=active]:text-accent";
  if (node.slug === null)
    return node.href === null ? (
      <span className={look}>{name}</span>
    ) : (
      <Link to={node.href} className={look} activeOptions={{ exact: true }}>
        {name}
      </Link>
    );
  return (
    <Link to="/docs/$" params={{ _splat: node.slug }} className={look}>
      {name}
    </Link>
  );
}
