/** The map: every address and the page that it shows. Pages are loaded when they are first opened. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";

import { Root } from "@/layout/root";
import { readText } from "@/lib/filters";
import {
  readCallSearch,
  readJobSearch,
  readListSearch,
  readOrgSearch,
  readUsageSearch,
  readWalletSearch,
} from "@/pages/console/search";
import { CrashedPage } from "@/pages/crashed";
import { readModelSearch } from "@/pages/models/search";
import { NotFoundPage } from "@/pages/not-found";

const root = createRootRoute({ component: Root, notFoundComponent: NotFoundPage });
const parent = { getParentRoute: () => root };

interface Next {
  next?: string;
  error?: string;
}

/** Where to go after signing in: a place of this site, or nowhere. */
const readNext = (search: Record<string, unknown>): Next => {
  const next = search["next"];
  const error = readText(search, "error");
  return {
    ...(typeof next === "string" && /^\/(?![/\\])/.test(next) ? { next } : {}),
    ...(error ? { error } : {}),
  };
};

const portal = [
  createRoute({ ...parent, path: "/", component: lazyRouteComponent(() => import("@/pages/home"), "HomePage") }),
  createRoute({
    ...parent,
    path: "/prices",
    validateSearch: readModelSearch,
    component: lazyRouteComponent(() => import("@/pages/prices"), "PricesPage"),
  }),
  createRoute({
    ...parent,
    path: "/downloads",
    component: lazyRouteComponent(() => import("@/pages/downloads"), "DownloadsPage"),
  }),
  createRoute({
    ...parent,
    path: "/status-codes",
    component: lazyRouteComponent(() => import("@/pages/status-codes"), "StatusCodesPage"),
  }),
  createRoute({
    ...parent,
    path: "/get-apikey",
    component: lazyRouteComponent(() => import("@/pages/get-key"), "GetKeyPage"),
  }),
  createRoute({
    ...parent,
    path: "/apikey-recharge",
    component: lazyRouteComponent(() => import("@/pages/recharge"), "RechargePage"),
  }),
  createRoute({
    ...parent,
    path: "/sign-in",
    validateSearch: readNext,
    component: lazyRouteComponent(() => import("@/pages/auth/sign-in"), "SignInPage"),
  }),
  createRoute({
    ...parent,
    path: "/sign-up",
    validateSearch: readNext,
    component: lazyRouteComponent(() => import("@/pages/auth/sign-up"), "SignUpPage"),
  }),
  createRoute({
    ...parent,
    path: "/invitations/$token",
    component: lazyRouteComponent(() => import("@/pages/auth/invitation"), "InvitationPage"),
  }),
];

const models = createRoute({ ...parent, path: "/models" });
const inModels = { getParentRoute: () => models };
const modelPages = [
  createRoute({
    ...inModels,
    path: "/",
    validateSearch: readModelSearch,
    component: lazyRouteComponent(() => import("@/pages/models/list"), "ModelsPage"),
  }),
  createRoute({
    ...inModels,
    path: "/$",
    component: lazyRouteComponent(() => import("@/pages/models/card"), "ModelRoute"),
  }),
];

const docs = createRoute({
  ...parent,
  path: "/docs",
  component: lazyRouteComponent(() => import("@/pages/docs/frame"), "DocsFrame"),
});
const inDocs = { getParentRoute: () => docs };
const documents = [
  createRoute({
    ...inDocs,
    path: "/",
    component: lazyRouteComponent(() => import("@/pages/docs/index"), "DocsIndexPage"),
  }),
  createRoute({
    ...inDocs,
    path: "/$",
    component: lazyRouteComponent(() => import("@/pages/docs/page"), "DocRoute"),
  }),
];

const consoleFrame = createRoute({
  ...parent,
  path: "/console",
  validateSearch: readOrgSearch,
  component: lazyRouteComponent(() => import("@/pages/console/frame"), "ConsoleFrame"),
});
const inConsole = { getParentRoute: () => consoleFrame };
const consolePages = [
  createRoute({
    ...inConsole,
    path: "/",
    beforeLoad: ({ search }) => {
      throw redirect({ to: "/console/keys", search, replace: true });
    },
  }),
  createRoute({
    ...inConsole,
    path: "/keys",
    validateSearch: readListSearch,
    component: lazyRouteComponent(() => import("@/pages/console/keys"), "KeysPage"),
  }),
  createRoute({
    ...inConsole,
    path: "/calls",
    validateSearch: readCallSearch,
    component: lazyRouteComponent(() => import("@/pages/console/calls"), "CallsPage"),
  }),
  createRoute({
    ...inConsole,
    path: "/jobs",
    validateSearch: readJobSearch,
    component: lazyRouteComponent(() => import("@/pages/console/jobs"), "JobsPage"),
  }),
  createRoute({
    ...inConsole,
    path: "/calls/$id",
    component: lazyRouteComponent(() => import("@/pages/console/call"), "CallPage"),
  }),
  createRoute({
    ...inConsole,
    path: "/usage",
    validateSearch: readUsageSearch,
    component: lazyRouteComponent(() => import("@/pages/console/usage"), "UsagePage"),
  }),
  createRoute({
    ...inConsole,
    path: "/wallet",
    validateSearch: readWalletSearch,
    component: lazyRouteComponent(() => import("@/pages/console/wallet"), "WalletPage"),
  }),
  createRoute({
    ...inConsole,
    path: "/members",
    component: lazyRouteComponent(() => import("@/pages/console/members"), "MembersPage"),
  }),
  createRoute({
    ...inConsole,
    path: "/projects",
    component: lazyRouteComponent(() => import("@/pages/console/projects"), "ProjectsPage"),
  }),
  createRoute({
    ...inConsole,
    path: "/audit",
    validateSearch: readListSearch,
    component: lazyRouteComponent(() => import("@/pages/console/audit"), "AuditPage"),
  }),
  createRoute({
    ...inConsole,
    path: "/settings",
    component: lazyRouteComponent(() => import("@/pages/console/settings"), "SettingsPage"),
  }),
  createRoute({
    ...inConsole,
    path: "/account",
    component: lazyRouteComponent(() => import("@/pages/console/settings"), "AccountPage"),
  }),
];

const adminFrame = createRoute({
  ...parent,
  path: "/admin",
  component: lazyRouteComponent(() => import("@/pages/admin/frame"), "AdminFrame"),
});
const inAdmin = { getParentRoute: () => adminFrame };
const adminPages = [
  createRoute({
    ...inAdmin,
    path: "/",
    beforeLoad: () => {
      throw redirect({ to: "/admin/codes", replace: true });
    },
  }),
  createRoute({
    ...inAdmin,
    path: "/codes",
    validateSearch: (raw: Record<string, unknown>): { after?: string } => {
      const after = readText(raw, "after");
      return after ? { after } : {};
    },
    component: lazyRouteComponent(() => import("@/pages/admin/codes"), "CodesPage"),
  }),
  createRoute({
    ...inAdmin,
    path: "/apps",
    component: lazyRouteComponent(() => import("@/pages/admin/apps"), "AppsPage"),
  }),
  createRoute({
    ...inAdmin,
    path: "/upstreams",
    component: lazyRouteComponent(() => import("@/pages/admin/upstreams"), "UpstreamsPage"),
  }),
  createRoute({
    ...inAdmin,
    path: "/wallets",
    validateSearch: readListSearch,
    component: lazyRouteComponent(() => import("@/pages/admin/pages"), "AdminWalletsPage"),
  }),
  createRoute({
    ...inAdmin,
    path: "/users",
    validateSearch: readListSearch,
    component: lazyRouteComponent(() => import("@/pages/admin/users"), "AdminUsersPage"),
  }),
  createRoute({
    ...inAdmin,
    path: "/settings",
    component: lazyRouteComponent(() => import("@/pages/admin/pages"), "AdminSettingsPage"),
  }),
  createRoute({
    ...inAdmin,
    path: "/tokens",
    component: lazyRouteComponent(() => import("@/pages/admin/pages"), "AdminTokensPage"),
  }),
  createRoute({
    ...inAdmin,
    path: "/audit",
    validateSearch: readListSearch,
    component: lazyRouteComponent(() => import("@/pages/admin/pages"), "AdminAuditPage"),
  }),
];

// Every component in every state, for who works on the pages; not in a build.
const design = import.meta.env.DEV
  ? [
      createRoute({
        ...parent,
        path: "/admin/design",
        component: lazyRouteComponent(() => import("@/pages/design"), "DesignPage"),
      }),
    ]
  : [];

const tree = root.addChildren([
  ...portal,
  models.addChildren(modelPages),
  docs.addChildren(documents),
  consoleFrame.addChildren(consolePages),
  adminFrame.addChildren(adminPages),
]);
if (design.length > 0) root.addChildren([...(root.children as never[]), ...design]);

export const router = createRouter({
  routeTree: tree,
  defaultPreload: "intent",
  defaultErrorComponent: CrashedPage,
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
