/** The console's frame: its own navigation at the left, the open organisation, and a gate for who is not signed in. */
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";

import { useMay, useOrg } from "@/api/orgs";
import { useMe, useSession } from "@/api/session";
import { ToSignIn } from "@/layout/to-sign-in";
import { cx } from "@/lib/class-names";
import { remember } from "@/lib/storage";
import { Select } from "@/parts/field";
import { Empty, PageSkeleton } from "@/parts/notes";

const ITEM =
  "flex h-9 items-center rounded-md px-3 whitespace-nowrap text-soft hover:bg-hover hover:text-ink data-[status=active]:bg-accent-soft data-[status=active]:font-medium data-[status=active]:text-accent";

export function ConsoleFrame() {
  const { t } = useTranslation();
  const session = useSession();
  const org = useOrg();
  const mayAudit = useMay("audit.read");
  const href = useRouterState({ select: (state) => state.location.href });
  if (session.data && !session.data.user) return <ToSignIn />;
  return (
    <Frame
      label={t("layout.console")}
      head={<OrgSelect />}
      items={
        <>
          <Link to="/console/keys" className={ITEM}>
            {t("keys.title")}
          </Link>
          <Link to="/console/calls" className={ITEM}>
            {t("calls.title")}
          </Link>
          <Link to="/console/jobs" className={ITEM}>
            {t("jobs.title")}
          </Link>
          <Link to="/console/usage" className={ITEM}>
            {t("usage.title")}
          </Link>
          <Link to="/console/wallet" className={ITEM}>
            {t("wallet.title")}
          </Link>
          <Link to="/console/members" className={ITEM}>
            {t("members.title")}
          </Link>
          <Link to="/console/projects" className={ITEM}>
            {t("projects.title")}
          </Link>
          {mayAudit && (
            <Link to="/console/audit" className={ITEM}>
              {t("audit.title")}
            </Link>
          )}
          <Link to="/console/settings" className={ITEM}>
            {t("settings.title")}
          </Link>
        </>
      }
    >
      {!session.data ? <PageSkeleton /> : org || href.startsWith("/console/account") ? <Outlet /> : <NoOrg />}
    </Frame>
  );
}

export function Frame({
  label,
  head,
  items,
  children,
}: {
  label: string;
  head?: React.ReactNode;
  items: React.ReactNode;
  children: React.ReactNode;
}) {
  const nav = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  // On a phone the items are a row wider than the screen: the open one comes into view.
  useEffect(() => {
    const open = nav.current?.querySelector<HTMLElement>("[data-status=active]");
    if (open) nav.current?.scrollTo({ left: open.offsetLeft - (nav.current.clientWidth - open.clientWidth) / 2 });
  }, [path, items]);
  return (
    <div className="mx-auto flex w-full max-w-[1560px] flex-1 max-md:flex-col">
      <div className="shrink-0 border-line p-3 max-md:border-b md:sticky md:top-14 md:h-[calc(100vh-3.5rem)] md:w-52 md:overflow-y-auto md:border-r">
        {head}
        <nav ref={nav} aria-label={label} className="relative flex gap-0.5 max-md:overflow-x-auto md:flex-col">
          {items}
        </nav>
      </div>
      <main id="content" tabIndex={-1} className="min-w-0 flex-1 px-4 py-6 outline-none sm:px-8">
        {children}
      </main>
    </div>
  );
}

export const FRAME_ITEM = ITEM;

function OrgSelect() {
  const { t } = useTranslation();
  const me = useMe();
  const org = useOrg();
  const navigate = useNavigate();
  if (!me || !org) return null;
  const orgs = me.orgs.some((one) => one.org_id === org.org_id) ? me.orgs : [...me.orgs, org];
  if (orgs.length < 2)
    return (
      <p className={cx("mb-2 px-3 text-[13px] text-faint")}>
        <span className="sr-only">{t("layout.org")}: </span>
        {org.org_name}
      </p>
    );
  return (
    <div className="mb-3">
      <Select
        label={t("layout.org")}
        bare
        value={org.org_id}
        options={orgs.map((one) => ({ value: one.org_id, label: one.org_name }))}
        onChange={(event) => {
          remember("org", event.target.value);
          void navigate({ to: ".", search: { org: event.target.value } });
        }}
      />
    </div>
  );
}

function NoOrg() {
  const { t } = useTranslation();
  return <Empty title={t("console.no_org")}>{t("console.no_org_text")}</Empty>;
}
