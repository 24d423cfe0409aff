/** Signing up: in the open, or with an invitation's token. */
import { Link, Navigate, useNavigate, useSearch } from "@tanstack/react-router";
import { useState, type SyntheticEvent } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "@/api/client";
import { useSession, useSignUp } from "@/api/session";
import { Main } from "@/layout/root";
import { Button } from "@/parts/button";
import { Input } from "@/parts/field";
import { ErrorNote, Note } from "@/parts/notes";
import { PageHeader } from "@/parts/page";

import { Providers } from "./sign-in";

export const LEAST_PASSWORD = 10;

export function SignUpPage() {
  const { t } = useTranslation();
  const { data: session } = useSession();
  const { next = "/console" } = useSearch({ strict: false });
  if (session?.user) return <Navigate to={next} replace />;
  return (
    <Main narrow>
      <PageHeader title={t("auth.sign_up")}>{t("auth.sign_up_hint")}</PageHeader>
      {session && session.sign_up !== "open" ? (
        <Note>{session.sign_up === "invitation" ? t("auth.by_invitation") : t("auth.sign_up_closed")}</Note>
      ) : (
        <SignUpForm onDone={next} />
      )}
      <Providers next={next} />
      <p className="mt-6 text-soft">
        {t("auth.have_account")}{" "}
        <Link to="/sign-in" search={{ next }} className="text-accent underline underline-offset-3">
          {t("auth.sign_in")}
        </Link>
      </p>
    </Main>
  );
}

/** The form itself; `invitation` is the token that its link carried. */
export function SignUpForm({
  onDone,
  invitation,
  email: given = "",
}: {
  onDone: string;
  invitation?: string;
  email?: string;
}) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const signUp = useSignUp();
  const [name, setName] = useState("");
  const [email, setEmail] = useState(given);
  const [password, setPassword] = useState("");
  const short = password !== "" && password.length < LEAST_PASSWORD;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (password.length < LEAST_PASSWORD) return;
    signUp.mutate(
      { name, email, password, ...(invitation ? { invitation } : {}) },
      { onSuccess: () => void navigate({ to: onDone, replace: true }) },
    );
  };
  const problemOf = (param: string): string | null =>
    signUp.error instanceof ApiError && signUp.error.param === param ? signUp.error.message : null;
  const known = ["name", "email", "password"].some((param) => problemOf(param));
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {signUp.error && !known && <ErrorNote error={signUp.error} />}
      <Input
        label={t("auth.name")}
        name="name"
        autoComplete="name"
        required
        problem={problemOf("name")}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <Input
        label={t("auth.email")}
        type="email"
        name="email"
        autoComplete="email"
        required
        readOnly={given !== ""}
        problem={problemOf("email")}
        value={email}
        onChange={(event) => setEmail(event.target.value)}
      />
      <Input
        label={t("auth.password")}
        type="password"
        name="password"
        autoComplete="new-password"
        required
        hint={t("auth.password_hint", { count: LEAST_PASSWORD })}
        problem={problemOf("password") ?? (short ? t("auth.password_short", { count: LEAST_PASSWORD }) : null)}
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <Button type="submit" kind="primary" busy={signUp.isPending}>
        {t("auth.sign_up")}
      </Button>
    </form>
  );
}
