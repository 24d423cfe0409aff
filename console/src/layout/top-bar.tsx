/** The bar at the top: API list, help, downloads; search, language, theme, and the account. */
import { Link, useNavigate, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslation } from "react-i18next";

import { useTree } from "@/api/portal";
import { useSession, useSignOut } from "@/api/session";
import { setLanguage, type Language } from "@/i18n";
import { setTheme, useTheme } from "@/lib/theme";
import { cx } from "@/lib/class-names";
import { IconButton, LinkButton } from "@/parts/button";
import { Drawer } from "@/parts/dialog";
import { Icon } from "@/parts/icons";
import { Menu, MenuChoices, MenuItem, MenuLabel, MenuLink, MenuSeparator } from "@/parts/menu";

import { DocTree } from "./doc-tree";

const SearchBox = lazy(() => import("./search-box").then((module) => ({ default: module.SearchBox })));

const NAV =
  "inline-flex h-8 items-center gap-1 rounded-md px-2.5 text-soft hover:bg-hover hover:text-ink data-[status=active]:text-ink data-[status=active]:font-medium";

export function TopBar() {
  const { t } = useTranslation();
  const { data: session } = useSession();
  const [drawer, setDrawer] = useState(false);
  const [searching, setSearching] = useState(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const [drawerPath, setDrawerPath] = useState(path);
  if (drawerPath !== path) {
    setDrawerPath(path);
    setDrawer(false);
  }
  useEffect(() => {
    const open = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k") {
        event.preventDefault();
        setSearching(true);
      }
    };
    window.addEventListener("keydown", open);
    return () => window.removeEventListener("keydown", open);
  }, []);
  return (
    <header className="sticky top-0 z-30 border-b border-line bg-canvas">
      <div className="flex h-14 items-center gap-1 px-3 sm:px-5">
        <span className="lg:hidden">
          <IconButton label={t("layout.menu")} onClick={() => setDrawer(true)}>
            <Icon name="menu" />
          </IconButton>
        </span>
        <Link to="/" className="flex min-w-0 sm:mr-3 items-center gap-2 rounded-md px-1 font-semibold">
          <img src="/favicon.svg" alt="" width="24" height="24" />
          <span className="truncate">{session?.site_name || "TokenGate"}</span>
        </Link>
        <nav aria-label={t("layout.main")} className="hidden items-center gap-0.5 lg:flex">
          <Link to="/docs" className={NAV} activeOptions={{ exact: true }}>
            {t("layout.api_list")}
          </Link>
          <Link to="/models" className={NAV}>
            {t("layout.models")}
          </Link>
          <Link to="/prices" className={NAV}>
            {t("layout.prices")}
          </Link>
          <HelpMenu />
          <DownloadMenu />
        </nav>
        <div className="ml-auto flex items-center gap-1">
          <button
            type="button"
            onClick={() => setSearching(true)}
            className="flex h-8 items-center gap-2 rounded-md border border-line px-2.5 text-faint hover:border-line-strong md:w-52"
          >
            <Icon name="search" className="size-3.5" />
            <span className="max-md:sr-only">{t("search.open")}</span>
            <kbd className="ml-auto hidden font-sans text-[12px] md:inline">{SHORTCUT}</kbd>
          </button>
          <span className="hidden gap-1 sm:flex">
            <LanguageMenu />
            <ThemeMenu />
          </span>
          <Account />
        </div>
      </div>
      <Drawer open={drawer} onOpenChange={setDrawer} title={t("layout.menu")}>
        <nav aria-label={t("layout.main")} className="mb-3 flex flex-col border-b border-line pb-3">
          <Link to="/models" className={NAV}>
            {t("layout.models")}
          </Link>
          <Link to="/prices" className={NAV}>
            {t("layout.prices")}
          </Link>
          <Link to="/downloads" className={NAV}>
            {t("layout.downloads")}
          </Link>
          <Link to="/console" className={NAV}>
            {t("layout.console")}
          </Link>
          <span className="mt-1 flex gap-1 sm:hidden">
            <LanguageMenu />
            <ThemeMenu />
          </span>
        </nav>
        <DocTree />
      </Drawer>
      {searching && (
        <Suspense>
          <SearchBox onClose={() => setSearching(false)} />
        </Suspense>
      )}
    </header>
  );
}

const SHORTCUT = /mac|iphone|ipad/i.test(navigator.userAgent) ? "⌘K" : "Ctrl K";

const FIRST = ["guide/using-the-api", "guide/ai-applications"];

function HelpMenu() {
  const { t } = useTranslation();
  const { data: tree } = useTree();
  const others = [...(tree?.help ?? []), ...(tree?.reference ?? [])].filter((link) => !FIRST.includes(link.slug ?? ""));
  return (
    <Menu
      button={
        <button type="button" className={NAV}>
          {t("layout.help")}
          <Icon name="down" className="size-3" />
        </button>
      }
    >
      <HelpLink slug="guide/using-the-api">{t("layout.tutorial")}</HelpLink>
      <HelpLink slug="guide/ai-applications">{t("layout.applications")}</HelpLink>
      <MenuSeparator />
      {others.map((link) => (
        <HelpLink key={link.slug} slug={link.slug ?? ""}>
          {link.title}
        </HelpLink>
      ))}
    </Menu>
  );
}

function HelpLink({ slug, children }: { slug: string; children: React.ReactNode }) {
  return (
    <MenuLink>
      <Link to="/docs/$" params={{ _splat: slug }}>
        {children}
      </Link>
    </MenuLink>
  );
}

function DownloadMenu() {
  const { t } = useTranslation();
  return (
    <Menu
      button={
        <button type="button" className={NAV}>
          {t("layout.downloads")}
          <Icon name="down" className="size-3" />
        </button>
      }
    >
      <MenuLink>
        <Link to="/downloads">{t("layout.downloads_page")}</Link>
      </MenuLink>
      <MenuSeparator />
      <MenuLink>
        <a href="/openapi.json" download>
          {t("layout.openapi")}
        </a>
      </MenuLink>
      <MenuLink>
        <a href="/collection.json" download>
          {t("layout.collection")}
        </a>
      </MenuLink>
    </Menu>
  );
}

function LanguageMenu() {
  const { t, i18n } = useTranslation();
  return (
    <Menu
      button={
        <IconButton label={t("layout.language")}>
          <Icon name="language" />
        </IconButton>
      }
    >
      <MenuChoices<Language>
        value={i18n.language === "zh" ? "zh" : "en"}
        choices={[
          { value: "zh", label: "中文" },
          { value: "en", label: "English" },
        ]}
        onChange={(language) => void setLanguage(language)}
      />
    </Menu>
  );
}

function ThemeMenu() {
  const { t } = useTranslation();
  const theme = useTheme();
  return (
    <Menu
      button={
        <IconButton label={t("layout.theme")}>
          <Icon name={theme === "dark" ? "moon" : theme === "light" ? "sun" : "screen"} />
        </IconButton>
      }
    >
      <MenuChoices
        value={theme}
        choices={[
          { value: "system", label: t("layout.theme_system") },
          { value: "light", label: t("layout.theme_light") },
          { value: "dark", label: t("layout.theme_dark") },
        ]}
        onChange={setTheme}
      />
    </Menu>
  );
}

function Account() {
  const { t } = useTranslation();
  const { data: session } = useSession();
  const signOut = useSignOut();
  const navigate = useNavigate();
  const href = useRouterState({ select: (state) => state.location.href });
  if (!session) return <span className="w-16" />;
  const me = session.user;
  if (!me)
    return (
      <LinkButton to="/sign-in" search={{ next: href }} kind="primary" size="sm" className="ml-1">
        {t("auth.sign_in")}
      </LinkButton>
    );
  return (
    <>
      <Link to="/console" className={cx(NAV, "max-lg:hidden")}>
        {t("layout.console")}
      </Link>
      <Menu
        button={
          <IconButton label={t("layout.account")}>
            <Icon name="user" />
          </IconButton>
        }
      >
        <MenuLabel>{me.email || me.name}</MenuLabel>
        <MenuSeparator />
        <MenuLink>
          <Link to="/console">{t("layout.console")}</Link>
        </MenuLink>
        {me.operator && (
          <MenuLink>
            <Link to="/admin">{t("layout.admin")}</Link>
          </MenuLink>
        )}
        <MenuLink>
          <Link to="/console/account">{t("layout.account")}</Link>
        </MenuLink>
        <MenuSeparator />
        <MenuItem onSelect={() => signOut.mutate(undefined, { onSuccess: () => void navigate({ to: "/" }) })}>
          {t("auth.sign_out")}
        </MenuItem>
      </Menu>
    </>
  );
}
