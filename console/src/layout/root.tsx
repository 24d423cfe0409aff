/** What is around every page: the bar at the top, and the way in for portals that only members may read. */
import { Outlet, useRouterState } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useSession } from "@/api/session";
import { ErrorNote } from "@/parts/notes";

import { ToSignIn } from "./to-sign-in";
import { TopBar } from "./top-bar";

const OPEN = ["/sign-in", "/sign-up", "/invitations/"];

export function Root() {
  const { t } = useTranslation();
  const session = useSession();
  const path = useRouterState({ select: (state) => state.location.pathname });
  const closed = session.data && !session.data.portal_public && !session.data.user;
  if (closed && !OPEN.some((open) => path.startsWith(open))) return <ToSignIn />;
  return (
    <div className="flex min-h-screen flex-col">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:absolute focus:z-50 focus:m-2 focus:rounded-md focus:bg-raised focus:px-3 focus:py-2"
      >
        {t("layout.skip")}
      </a>
      <TopBar />
      {session.error && (
        <div className="mx-auto w-full max-w-6xl p-4">
          <ErrorNote error={session.error} onRetry={() => void session.refetch()} />
        </div>
      )}
      <Outlet />
    </div>
  );
}

/** The content of a page without a column at its side. */
export function Main({ children, narrow = false }: { children: React.ReactNode; narrow?: boolean }) {
  return (
    <main
      id="content"
      tabIndex={-1}
      className={`mx-auto w-full flex-1 px-4 py-8 outline-none sm:px-6 ${narrow ? "max-w-md" : "max-w-[1240px]"}`}
    >
      {children}
    </main>
  );
}
