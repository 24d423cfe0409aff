/** The operators' frame. */
import { Link, Outlet } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useSession } from "@/api/session";
import { ToSignIn } from "@/layout/to-sign-in";
import { Frame, FRAME_ITEM } from "@/pages/console/frame";
import { Empty, PageSkeleton } from "@/parts/notes";

export function AdminFrame() {
  const { t } = useTranslation();
  const session = useSession();
  if (session.data && !session.data.user) return <ToSignIn />;
  return (
    <Frame
      label={t("layout.admin")}
      items={
        <>
          <Link to="/admin/codes" className={FRAME_ITEM}>
            {t("codes.title")}
          </Link>
          <Link to="/admin/apps" className={FRAME_ITEM}>
            {t("apps.title")}
          </Link>
          <Link to="/admin/upstreams" className={FRAME_ITEM}>
            {t("upstreams.title")}
          </Link>
          <Link to="/admin/wallets" className={FRAME_ITEM}>
            {t("admin.wallets")}
          </Link>
          <Link to="/admin/users" className={FRAME_ITEM}>
            {t("admin.users")}
          </Link>
          <Link to="/admin/settings" className={FRAME_ITEM}>
            {t("admin.settings")}
          </Link>
          <Link to="/admin/tokens" className={FRAME_ITEM}>
            {t("admin.tokens")}
          </Link>
          <Link to="/admin/audit" className={FRAME_ITEM}>
            {t("audit.title")}
          </Link>
        </>
      }
    >
      {!session.data ? (
        <PageSkeleton />
      ) : session.data.user?.operator ? (
        <Outlet />
      ) : (
        <Empty title={t("admin.forbidden")}>{t("admin.forbidden_text")}</Empty>
      )}
    </Frame>
  );
}
