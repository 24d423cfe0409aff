/** Topping up a wallet with a redemption code. */
import { useState, type SyntheticEvent } from "react";
import { useTranslation } from "react-i18next";

import { useRedeem } from "@/api/money";
import type { Redeemed } from "@/api/types";

import { Button } from "./button";
import { Input } from "./field";
import { Money } from "./figures";
import { ErrorNote, Note } from "./notes";

export function RedeemForm({ walletId }: { walletId: string }) {
  const { t } = useTranslation();
  const redeem = useRedeem();
  const [code, setCode] = useState("");
  const [got, setGot] = useState<Redeemed | null>(null);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    setGot(null);
    redeem.mutate(
      { wallet_id: walletId, code: code.trim() },
      {
        onSuccess: (result) => {
          setGot(result);
          setCode("");
        },
      },
    );
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-3">
      {redeem.error && <ErrorNote error={redeem.error} />}
      {got && (
        <Note>
          <span role="status">
            {t("recharge.done")} <Money value={got.amount_yuan} total />. {t("wallet.balance")}{" "}
            <Money value={got.wallet.balance_yuan} balance />
          </span>
        </Note>
      )}
      <Input
        label={t("recharge.code")}
        hint={t("recharge.code_hint")}
        required
        autoComplete="off"
        spellCheck={false}
        className="font-mono"
        value={code}
        onChange={(event) => setCode(event.target.value)}
      />
      <Button type="submit" kind="primary" busy={redeem.isPending} disabled={!walletId}>
        {t("recharge.redeem")}
      </Button>
    </form>
  );
}
