/** The organisation's settings, and one's own account. */
import { useState, type SyntheticEvent } from "react";
import { useTranslation } from "react-i18next";

import { ApiError } from "@/api/client";
import { useMay, useOrg, useRenameOrg } from "@/api/orgs";
import { useChangePassword, useMe } from "@/api/session";
import { LEAST_PASSWORD } from "@/pages/auth/sign-up";
import { Button } from "@/parts/button";
import { Copyable } from "@/parts/copy";
import { Input } from "@/parts/field";
import { ErrorNote } from "@/parts/notes";
import { Facts, PageHeader, Section } from "@/parts/page";
import { useSay } from "@/parts/toast";

import { NameForm } from "./projects";

export function SettingsPage() {
  const { t } = useTranslation();
  const org = useOrg();
  const may = useMay("org.write");
  const rename = useRenameOrg();
  const say = useSay();
  if (!org) return null;
  return (
    <>
      <PageHeader title={t("settings.title")}>{t("settings.lead")}</PageHeader>
      <Facts
        facts={[
          [t("settings.org_id"), <Copyable key="id" value={org.org_id} />],
          [t("settings.my_role"), t(`roles.${org.role}`)],
        ]}
      />
      <Section title={t("settings.name")} className="max-w-md">
        {may ? (
          <NameForm
            key={org.org_name}
            label={t("settings.name")}
            name={org.org_name}
            busy={rename.isPending}
            error={rename.error}
            onSave={(name) => rename.mutate(name, { onSuccess: () => say(t("common.saved")) })}
          />
        ) : (
          <p>{org.org_name}</p>
        )}
      </Section>
    </>
  );
}

export function AccountPage() {
  const { t } = useTranslation();
  const me = useMe();
  if (!me) return null;
  return (
    <>
      <PageHeader title={t("layout.account")} />
      <Facts
        facts={[
          [t("auth.name"), me.name],
          [t("auth.email"), me.email],
        ]}
      />
      <Section title={t("account.password")} className="max-w-md">
        <PasswordForm email={me.email} />
      </Section>
    </>
  );
}

function PasswordForm({ email }: { email: string }) {
  const { t } = useTranslation();
  const change = useChangePassword();
  const say = useSay();
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const short = password !== "" && password.length < LEAST_PASSWORD;
  const wrong = change.error instanceof ApiError && change.error.param === "current" ? change.error.message : null;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (short) return;
    change.mutate(
      { current, password },
      {
        onSuccess: () => {
          setCurrent("");
          setPassword("");
          say(t("account.changed"));
        },
      },
    );
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {change.error && !wrong && <ErrorNote error={change.error} />}
      <input type="hidden" autoComplete="username" value={email} readOnly />
      <Input
        label={t("account.current")}
        type="password"
        autoComplete="current-password"
        problem={wrong}
        value={current}
        onChange={(event) => setCurrent(event.target.value)}
      />
      <Input
        label={t("account.new")}
        type="password"
        autoComplete="new-password"
        required
        hint={t("account.hint", { count: LEAST_PASSWORD })}
        problem={short ? t("auth.password_short", { count: LEAST_PASSWORD }) : null}
        value={password}
        onChange={(event) => setPassword(event.target.value)}
      />
      <div>
        <Button type="submit" kind="primary" busy={change.isPending}>
          {t("account.password")}
        </Button>
      </div>
    </form>
  );
}
