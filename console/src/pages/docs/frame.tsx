/** The documents' frame: the tree at the left, which on narrow screens is in the menu's drawer. */
import { Outlet } from "@tanstack/react-router";

import { DocTree } from "@/layout/doc-tree";

export function DocsFrame() {
  return (
    <div className="mx-auto flex w-full max-w-[1680px] flex-1">
      <aside className="sticky top-14 hidden h-[calc(100vh-3.5rem)] w-72 shrink-0 overflow-y-auto border-r border-line px-3 py-3 lg:block">
        <DocTree />
      </aside>
      <main id="content" tabIndex={-1} className="min-w-0 flex-1 px-4 py-6 outline-none sm:px-8">
        <Outlet />
      </main>
    </div>
  );
}
