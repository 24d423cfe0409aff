/** Accepting an invitation: as who is signed in, or by signing up with it. */
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

import { ApiError } from "@/api/client";
import { useAcceptInvitation, useInvitation, useSession, useSignOut } from "@/api/session";
import type { Invited, Me } from "@/api/types";
import { Main } from "@/layout/root";
import { Button, LinkButton } from "@/parts/button";
import { Time } from "@/parts/figures";
import { Empty, ErrorNote, Note, PageSkeleton } from "@/parts/notes";
import { PageHeader } from "@/parts/page";

import { Providers } from "./sign-in";
import { SignUpForm } from "./sign-up";

export function InvitationPage() {
  const { t } = useTranslation();
  const { token } = useParams({ from: "/invitations/$token" });
  const session = useSession();
  const invitation = useInvitation(token);
  const user = session.data?.user;
  if (invitation.error instanceof ApiError && invitation.error.status === 404)
    return (
      <Main narrow>
        <Empty title={t("invitation.over")} action={<LinkButton to="/">{t("not_found.home")}</LinkButton>}>
          {t("invitation.over_text")}
        </Empty>
      </Main>
    );
  return (
    <Main narrow>
      <PageHeader title={t("invitation.title")}>{t("invitation.lead")}</PageHeader>
      {invitation.error ? (
        <ErrorNote error={invitation.error} onRetry={() => void invitation.refetch()} />
      ) : !session.data || !invitation.data ? (
        <PageSkeleton />
      ) : (
        <>
          <Offer invited={invitation.data} />
          {user ? (
            <Accept token={token} invited={invitation.data} user={user} />
          ) : (
            <Enter token={token} email={invitation.data.email} />
          )}
        </>
      )}
    </Main>
  );
}

function Offer({ invited }: { invited: Invited }) {
  const { t } = useTranslation();
  return (
    <div className="mb-6 rounded-lg border border-line px-4 py-3">
      {invited.org_name && (
        <p className="text-[16px] font-medium">
          {t("invitation.to_org", { org: invited.org_name, role: t(`roles.${invited.role}`) })}
        </p>
      )}
      {invited.operator && <p className="text-[16px] font-medium">{t("invitation.to_operate")}</p>}
      <p className="mt-1 text-[13px] text-soft">
        {t("invitation.expires")} <Time ms={invited.expires_ms} />
      </p>
    </div>
  );
}

function Accept({ token, invited, user }: { token: string; invited: Invited; user: Me }) {
  const { t } = useTranslation();
  const accept = useAcceptInvitation();
  const signOut = useSignOut();
  const navigate = useNavigate();
  const name = user.email || user.name;
  if (invited.email && invited.email !== user.email)
    return (
      <div className="flex flex-col items-start gap-4">
        <Note tone="warn">{t("invitation.for_another", { email: invited.email, name })}</Note>
        <Button busy={signOut.isPending} onClick={() => signOut.mutate()}>
          {t("auth.sign_out")}
        </Button>
      </div>
    );
  const join = () =>
    accept.mutate(token, {
      onSuccess: (session) => {
        const had = new Set(user.orgs.map((org) => org.org_id));
        const joined = session.user?.orgs.find((org) => !had.has(org.org_id));
        void navigate({ to: "/console", search: joined ? { org: joined.org_id } : {} });
      },
    });
  return (
    <div className="flex flex-col gap-4">
      {accept.error && <ErrorNote error={accept.error} />}
      <p>{t("invitation.as", { name })}</p>
      <Button kind="primary" busy={accept.isPending} onClick={join}>
        {t("invitation.accept")}
      </Button>
    </div>
  );
}

function Enter({ token, email }: { token: string; email: string }) {
  const { t } = useTranslation();
  const next = `/invitations/${token}`;
  return (
    <>
      <SignUpForm invitation={token} email={email} onDone="/console" />
      <Providers next={next} />
      <p className="mt-6 text-soft">
        {t("auth.have_account")}{" "}
        <Link to="/sign-in" search={{ next }} className="text-accent underline underline-offset-3">
          {t("auth.sign_in")}
        </Link>
      </p>
    </>
  );
}
