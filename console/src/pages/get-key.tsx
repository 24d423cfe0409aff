/** /get-apikey: sign in, name a key, keep it. The shortest way from nothing to a key. */
import { Link, useRouterState } from "@tanstack/react-router";
import { useState, type SyntheticEvent } from "react";
import { useTranslation } from "react-i18next";

import { useCreateKey } from "@/api/keys";
import { useMay, useOrg } from "@/api/orgs";
import { useBaseUrl, useSession } from "@/api/session";
import type { CreatedKey } from "@/api/types";
import { Main } from "@/layout/root";
import { setTabKey } from "@/lib/tab-key";
import { Button, LinkButton } from "@/parts/button";
import { Copyable } from "@/parts/copy";
import { Input } from "@/parts/field";
import { Empty, ErrorNote, Note, PageSkeleton } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { SecretDialog } from "@/parts/secret";

export function GetKeyPage() {
  const { t } = useTranslation();
  const session = useSession();
  const org = useOrg();
  const href = useRouterState({ select: (state) => state.location.href });
  return (
    <Main narrow>
      <PageHeader title={t("home.get_key")}>{t("get_key.lead")}</PageHeader>
      {!session.data ? (
        <PageSkeleton />
      ) : !session.data.user ? (
        <div className="flex flex-col gap-3">
          <Note>{t("get_key.sign_in")}</Note>
          <LinkButton to="/sign-in" search={{ next: href }} kind="primary">
            {t("auth.sign_in")}
          </LinkButton>
          {session.data.sign_up === "open" && (
            <LinkButton to="/sign-up" search={{ next: href }}>
              {t("auth.sign_up")}
            </LinkButton>
          )}
        </div>
      ) : org ? (
        <KeyMaker />
      ) : (
        <Empty title={t("console.no_org")}>{t("console.no_org_text")}</Empty>
      )}
    </Main>
  );
}

function KeyMaker() {
  const { t } = useTranslation();
  const may = useMay("keys.write");
  const base = useBaseUrl();
  const create = useCreateKey();
  const [name, setName] = useState("");
  const [created, setCreated] = useState<CreatedKey | null>(null);
  const [done, setDone] = useState(false);
  if (!may) return <Note tone="warn">{t("get_key.forbidden")}</Note>;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    create.mutate(
      { name: name.trim() },
      {
        onSuccess: (made) => {
          setTabKey(made.secret);
          setCreated(made);
          setDone(true);
          setName("");
        },
      },
    );
  };
  return (
    <>
      <form onSubmit={submit} className="flex flex-col gap-4">
        {create.error && <ErrorNote error={create.error} />}
        <Input
          label={t("keys.name")}
          hint={t("keys.name_hint")}
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Button type="submit" kind="primary" busy={create.isPending}>
          {t("keys.create")}
        </Button>
      </form>
      {done && (
        <div className="mt-6">
          <Note>
            <p>{t("get_key.next")}</p>
            <p className="mt-2">
              base_url <Copyable value={`${base}/v1`} />
            </p>
            <p className="mt-2 flex gap-4">
              <Link to="/" className="text-accent underline underline-offset-3">
                {t("get_key.first_call")}
              </Link>
              <Link to="/apikey-recharge" className="text-accent underline underline-offset-3">
                {t("recharge.title")}
              </Link>
            </p>
          </Note>
        </div>
      )}
      <p className="mt-6 text-soft">
        <Link to="/console/keys" className="text-accent underline underline-offset-3">
          {t("get_key.all_keys")}
        </Link>
      </p>
      {created && (
        <SecretDialog
          title={t("keys.created")}
          name={created.key.name}
          secret={created.secret}
          onClose={() => setCreated(null)}
        >
          <p className="mt-3 text-[13px] text-soft">{t("keys.created_text")}</p>
        </SecretDialog>
      )}
    </>
  );
}
