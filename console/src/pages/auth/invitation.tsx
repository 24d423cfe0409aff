/** Accepting an invitation: as who is signed in, or by signing up with it. */
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { useAcceptInvitation, useInvitation, useSession } from "@/api/session";
import { Main } from "@/layout/root";
import { Button } from "@/parts/button";
import { ErrorNote, PageSkeleton } from "@/parts/notes";
import { PageHeader } from "@/parts/page";

import { SignUpForm } from "./sign-up";

export function InvitationPage() {
  const { t } = useTranslation();
  const { token } = useParams({ from: "/invitations/$token" });
  const session = useSession();
  const invitation = useInvitation(token);
  const accept = useAcceptInvitation();
  const navigate = useNavigate();
  const user = session.data?.user;
  return (
    <Main narrow>
      <PageHeader title={t("invitation.title")}>{t("invitation.lead")}</PageHeader>
      {invitation.error ? (
        <ErrorNote error={invitation.error} />
      ) : !session.data || !invitation.data ? (
        <PageSkeleton />
      ) : user ? (
        <div className="flex flex-col gap-4">
          {accept.error && <ErrorNote error={accept.error} />}
          <p className="text-[16px] font-medium">
            {invitation.data.org_name} · {t(`roles.${invitation.data.role}`)}
          </p>
          <p>{t("invitation.as", { name: user.email || user.name })}</p>
          <Button
            kind="primary"
            busy={accept.isPending}
            onClick={() => accept.mutate(token, { onSuccess: () => void navigate({ to: "/console" }) })}
          >
            {t("invitation.accept")}
          </Button>
        </div>
      ) : (
        <>
          <p className="mb-4 text-[16px] font-medium">
            {invitation.data.org_name} · {t(`roles.${invitation.data.role}`)}
          </p>
          <SignUpForm invitation={token} email={invitation.data.email} onDone="/console" />
          <p className="mt-6 text-soft">
            {t("auth.have_account")}{" "}
            <Link
              to="/sign-in"
              search={{ next: `/invitations/${token}` }}
              className="text-accent underline underline-offset-3"
            >
              {t("auth.sign_in")}
            </Link>
          </p>
        </>
      )}
    </Main>
  );
}
