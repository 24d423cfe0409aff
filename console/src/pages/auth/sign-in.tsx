/** Signing in: by password, or through the organisation's own sign-on. */
import { Link, Navigate, useNavigate, useSearch } from "@tanstack/react-router";
import { useState, type SyntheticEvent } from "react";
import { useTranslation } from "react-i18next";

import { ROOT } from "@/api/client";
import { useSession, useSignIn } from "@/api/session";
import { Main } from "@/layout/root";
import { AnchorButton, Button } from "@/parts/button";
import { Input } from "@/parts/field";
import { ErrorNote, Note } from "@/parts/notes";
import { PageHeader } from "@/parts/page";

export function SignInPage() {
  const { t } = useTranslation();
  const { data: session } = useSession();
  const { next = "/console", error } = useSearch({ strict: false });
  const navigate = useNavigate();
  const signIn = useSignIn();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  if (session?.user) return <Navigate to={next} replace />;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    signIn.mutate({ email, password }, { onSuccess: () => void navigate({ to: next, replace: true }) });
  };
  return (
    <Main narrow>
      <PageHeader title={t("auth.sign_in")}>{session && !session.portal_public && t("auth.closed_portal")}</PageHeader>
      <form onSubmit={submit} className="flex flex-col gap-4">
        {signIn.error ? <ErrorNote error={signIn.error} /> : error && <Failed code={error} />}
        <Input
          label={t("auth.email")}
          type="email"
          name="email"
          autoComplete="username"
          required
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
        <Input
          label={t("auth.password")}
          type="password"
          name="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <Button type="submit" kind="primary" busy={signIn.isPending}>
          {t("auth.sign_in")}
        </Button>
      </form>
      <Providers next={next} />
      {session?.sign_up === "open" && (
        <p className="mt-6 text-soft">
          {t("auth.no_account")}{" "}
          <Link to="/sign-up" search={{ next }} className="text-accent underline underline-offset-3">
            {t("auth.sign_up")}
          </Link>
        </p>
      )}
      {session && session.sign_up !== "open" && <p className="mt-6 text-soft">{t("auth.by_invitation")}</p>}
    </Main>
  );
}

/** Why the organisation's own sign-on led back to here. */
function Failed({ code }: { code: string }) {
  const { t } = useTranslation();
  const why =
    code === "email_not_verified" || code === "account_disabled" || code === "invitation_needed" ? code : "oidc_failed";
  return (
    <div role="alert">
      <Note tone="warn">{t(`auth.failed.${why}`)}</Note>
    </div>
  );
}

export function Providers({ next }: { next: string }) {
  const { t } = useTranslation();
  const { data: session } = useSession();
  if (!session || session.oidc.length === 0) return null;
  return (
    <div className="mt-6 flex flex-col gap-2 border-t border-line pt-6">
      {session.oidc.map((provider) => (
        <AnchorButton key={provider.name} href={`${ROOT}/oidc/${provider.name}/start?next=${encodeURIComponent(next)}`}>
          {t("auth.continue_with", { name: provider.title })}
        </AnchorButton>
      ))}
    </div>
  );
}
