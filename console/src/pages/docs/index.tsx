/** The API list: every document, folder by folder, on one page. */
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useTree } from "@/api/portal";
import type { TreeNode } from "@/api/types";
import { Badge, ErrorNote, Method, PageSkeleton } from "@/parts/notes";
import { PageHeader, Section } from "@/parts/page";

export function DocsIndexPage() {
  const { t } = useTranslation();
  const tree = useTree();
  return (
    <>
      <PageHeader title={t("layout.api_list")}>{t("docs.index_text")}</PageHeader>
      {tree.error && <ErrorNote error={tree.error} onRetry={() => void tree.refetch()} />}
      {!tree.data && !tree.error && <PageSkeleton />}
      {tree.data?.data.map((node) => (
        <Section key={node.title} title={node.title}>
          <Groups node={node} above={[]} />
        </Section>
      ))}
    </>
  );
}

const isLeaf = (node: TreeNode): boolean => node.children.length === 0;

function Groups({ node, above }: { node: TreeNode; above: string[] }) {
  const leaves = node.children.filter(isLeaf);
  return (
    <>
      {leaves.length > 0 && (
        <div className="mb-5">
          {above.length > 0 && <h3 className="mb-1.5 text-[13px] text-faint">{above.join(" › ")}</h3>}
          <ul className="grid grid-cols-1 gap-x-6 sm:grid-cols-2 2xl:grid-cols-3">
            {leaves.map((leaf) => (
              <li key={leaf.slug ?? leaf.href ?? leaf.title} className="border-b border-line">
                <Entry node={leaf} />
              </li>
            ))}
          </ul>
        </div>
      )}
      {node.children
        .filter((child) => !isLeaf(child))
        .map((child) => (
          <Groups key={child.title} node={child} above={[...above, child.title]} />
        ))}
    </>
  );
}

function Entry({ node }: { node: TreeNode }) {
  const { t } = useTranslation();
  const look = "flex h-10 items-center gap-2 hover:text-accent";
  const name = (
    <>
      <span className="min-w-0 flex-1 truncate">{node.title}</span>
      {node.status === "developing" && <Badge tone="warn">{t("docs.developing")}</Badge>}
      {node.method && <Method method={node.method} />}
    </>
  );
  return node.slug === null ? (
    <Link to={node.href ?? "/docs"} className={look}>
      {name}
    </Link>
  ) : (
    <Link to="/docs/$" params={{ _splat: node.slug }} className={look}>
      {name}
    </Link>
  );
}
