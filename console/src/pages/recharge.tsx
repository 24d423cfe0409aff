/** /apikey-recharge: top up the wallet that a key spends from, by redemption code. */
import { useRouterState } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useKeys } from "@/api/keys";
import { useWallets } from "@/api/money";
import { useMay, useOrg } from "@/api/orgs";
import { useSession } from "@/api/session";
import { Main } from "@/layout/root";
import { LinkButton } from "@/parts/button";
import { Select } from "@/parts/field";
import { Money } from "@/parts/figures";
import { Empty, ErrorNote, Note, PageSkeleton } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { RedeemForm } from "@/parts/redeem";

export function RechargePage() {
  const { t } = useTranslation();
  const session = useSession();
  const org = useOrg();
  const href = useRouterState({ select: (state) => state.location.href });
  return (
    <Main narrow>
      <PageHeader title={t("recharge.title")}>{t("recharge.lead")}</PageHeader>
      {!session.data ? (
        <PageSkeleton />
      ) : !session.data.user ? (
        <div className="flex flex-col gap-3">
          <Note>{t("recharge.sign_in")}</Note>
          <LinkButton to="/sign-in" search={{ next: href }} kind="primary">
            {t("auth.sign_in")}
          </LinkButton>
        </div>
      ) : org ? (
        <Recharge />
      ) : (
        <Empty title={t("console.no_org")}>{t("console.no_org_text")}</Empty>
      )}
    </Main>
  );
}

const KEYS = 200;

function Recharge() {
  const { t } = useTranslation();
  const may = useMay("wallets.write");
  const keys = useKeys({}, KEYS);
  const wallets = useWallets();
  const [chosen, setChosen] = useState("");
  if (wallets.error) return <ErrorNote error={wallets.error} onRetry={() => void wallets.refetch()} />;
  if (!wallets.data || !keys.data) return <PageSkeleton />;
  const own = keys.data.data.filter((key) => key.kind !== "session");
  const key = own.find((one) => one.id === chosen) ?? own[0];
  const wallet = wallets.data.data.find((one) => one.id === key?.wallet_id) ?? wallets.data.data[0];
  if (!wallet) return <Empty title={t("wallet.none")}>{t("wallet.none_text")}</Empty>;
  return (
    <div className="flex flex-col gap-5">
      {own.length > 0 && (
        <Select
          label={t("recharge.key")}
          options={own.map((one) => ({ value: one.id, label: `${one.name} (${one.prefix}…${one.last4})` }))}
          value={key?.id ?? ""}
          onChange={(event) => setChosen(event.target.value)}
        />
      )}
      <p className="flex items-baseline justify-between rounded-lg border border-line px-4 py-3">
        <span className="text-soft">
          {t("wallet.balance")} · {wallet.name}
        </span>
        <span className="text-[20px] font-semibold">
          <Money value={wallet.balance_yuan} balance />
        </span>
      </p>
      {may ? <RedeemForm key={wallet.id} walletId={wallet.id} /> : <Note tone="warn">{t("recharge.forbidden")}</Note>}
    </div>
  );
}
