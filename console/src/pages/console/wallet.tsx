/** Wallets: balance, what is held, every movement, top-up by code, and the alert when the balance is low. */
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState, type SyntheticEvent } from "react";
import { useTranslation } from "react-i18next";

import {
  journalCsv,
  useAlert,
  useCreateWallet,
  useHolds,
  useJournal,
  useRemoveAlert,
  useSetAlert,
  useTestAlert,
  useWallets,
} from "@/api/money";
import { useMay, useOrgId } from "@/api/orgs";
import type { Hold, JournalEntry, Wallet } from "@/api/types";
import { compact } from "@/lib/filters";
import { isAmount } from "@/lib/money";
import { AnchorButton, Button } from "@/parts/button";
import { Dialog } from "@/parts/dialog";
import { Checkbox, Input, Select } from "@/parts/field";
import { Money, Time } from "@/parts/figures";
import { Icon } from "@/parts/icons";
import { Empty, ErrorNote, Note, PageSkeleton, Skeleton } from "@/parts/notes";
import { Card, PageHeader, Section, Stat } from "@/parts/page";
import { RedeemForm } from "@/parts/redeem";
import { SecretDialog } from "@/parts/secret";
import { Pager, Table, type Column } from "@/parts/table";
import { useSay } from "@/parts/toast";

export function WalletPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/console/wallet" });
  const navigate = useNavigate({ from: "/console/wallet" });
  const wallets = useWallets();
  const mayWrite = useMay("wallets.write");
  const [topping, setTopping] = useState(false);
  const [creating, setCreating] = useState(false);
  if (wallets.error) return <ErrorNote error={wallets.error} onRetry={() => void wallets.refetch()} />;
  if (!wallets.data) return <PageSkeleton />;
  const wallet = wallets.data.data.find((one) => one.id === search.wallet) ?? wallets.data.data[0];
  return (
    <>
      <PageHeader
        title={t("wallet.title")}
        actions={
          <>
            {wallets.data.data.length > 1 && (
              <div className="w-48">
                <Select
                  label={t("keys.wallet")}
                  bare
                  value={wallet?.id ?? ""}
                  options={wallets.data.data.map((one) => ({ value: one.id, label: one.name }))}
                  onChange={(event) =>
                    void navigate({ search: (old) => compact({ org: old.org, wallet: event.target.value }) })
                  }
                />
              </div>
            )}
            {mayWrite && (
              <>
                <Button onClick={() => setCreating(true)}>{t("wallet.create")}</Button>
                <Button kind="primary" disabled={!wallet} onClick={() => setTopping(true)}>
                  <Icon name="plus" className="size-3.5" />
                  {t("recharge.title")}
                </Button>
              </>
            )}
          </>
        }
      >
        {t("wallet.lead")}
      </PageHeader>
      {wallet ? (
        <WalletView
          key={wallet.id}
          wallet={wallet}
          after={search.after}
          onPage={(after) => void navigate({ search: (old) => compact({ ...old, after }) })}
        />
      ) : (
        <Empty title={t("wallet.none")}>{t("wallet.none_text")}</Empty>
      )}
      {wallet && (
        <Dialog open={topping} onOpenChange={setTopping} title={t("recharge.title")} description={wallet.name}>
          <RedeemForm walletId={wallet.id} />
        </Dialog>
      )}
      <Dialog open={creating} onOpenChange={setCreating} title={t("wallet.create")}>
        <CreateWallet onDone={() => setCreating(false)} />
      </Dialog>
    </>
  );
}

function WalletView({
  wallet,
  after,
  onPage,
}: {
  wallet: Wallet;
  after: string | undefined;
  onPage: (after?: string) => void;
}) {
  const { t } = useTranslation();
  const org = useOrgId();
  const journal = useJournal(wallet.id, after);
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-3">
        <Stat name={t("wallet.balance")}>
          <Money value={wallet.balance_yuan} balance />
        </Stat>
        <Stat name={t("wallet.held")} hint={t("wallet.held_text")}>
          <Money value={wallet.held_yuan} total />
        </Stat>
        <Stat name={t("wallet.available")} hint={t("wallet.available_text")}>
          <Money value={wallet.available_yuan} balance />
        </Stat>
      </div>
      <Section
        title={t("wallet.journal")}
        actions={
          <AnchorButton href={journalCsv(org, wallet.id)} download>
            <Icon name="download" className="size-3.5" />
            CSV
          </AnchorButton>
        }
      >
        <Table
          label={t("wallet.journal")}
          columns={useJournalColumns()}
          rows={journal.data?.data}
          rowKey={(entry) => entry.id}
          error={journal.error}
          onRetry={() => void journal.refetch()}
          stale={journal.isPlaceholderData}
          empty={<Empty title={t("wallet.no_journal")}>{t("wallet.no_journal_text")}</Empty>}
        />
        <Pager
          total={journal.data?.total}
          shown={journal.data?.data.length}
          next={journal.data?.next}
          atStart={!after}
          onFirst={() => onPage()}
          onNext={onPage}
        />
      </Section>
      <Holds wallet={wallet.id} />
      <AlertSection wallet={wallet.id} />
    </>
  );
}

const KINDS = ["top_up", "settle", "overrun", "correct", "grant", "redeem"] as const;

function useJournalColumns(): Column<JournalEntry>[] {
  const { t } = useTranslation();
  return [
    { id: "at", title: t("calls.time"), cell: (entry) => <Time ms={entry.created_ms} /> },
    {
      id: "kind",
      title: t("wallet.kind"),
      cell: (entry) => {
        const known = KINDS.find((kind) => kind === entry.kind);
        return known ? t(`wallet.kind_${known}`) : entry.kind;
      },
    },
    {
      id: "reference",
      title: t("wallet.reference"),
      cell: (entry) =>
        entry.call_id ? (
          <Link
            to="/console/calls/$id"
            params={{ id: entry.call_id }}
            className="font-mono text-[13px] text-accent hover:underline"
          >
            {entry.call_id}
          </Link>
        ) : (
          <span className="text-[13px] text-soft">{noteText(entry.note, t)}</span>
        ),
    },
    { id: "change", title: t("wallet.change"), right: true, cell: (entry) => <Money value={entry.change_yuan} /> },
  ];
}

/** `code …5464` is how the ledger notes a redeemed code; any other note is a person's own words. */
function noteText(note: string, t: ReturnType<typeof useTranslation>["t"]): string {
  const last4 = /^code …(\w{4})$/.exec(note)?.[1];
  return last4 ? t("wallet.code_ending", { last4 }) : note;
}

function Holds({ wallet }: { wallet: string }) {
  const { t } = useTranslation();
  const holds = useHolds(wallet);
  if (!holds.data || holds.data.data.length === 0) return null;
  const columns: Column<Hold>[] = [
    { id: "at", title: t("calls.time"), cell: (hold) => <Time ms={hold.started_ms} /> },
    {
      id: "call",
      title: t("calls.one"),
      cell: (hold) => <span className="font-mono text-[13px]">{hold.call_id}</span>,
    },
    { id: "model", title: t("calls.model"), cell: (hold) => hold.model },
    { id: "amount", title: t("wallet.held"), right: true, cell: (hold) => <Money value={hold.held_yuan} /> },
  ];
  return (
    <Section title={t("wallet.holds")}>
      <Table
        label={t("wallet.holds")}
        columns={columns}
        rows={holds.data.data}
        rowKey={(hold) => hold.call_id}
        empty={null}
      />
    </Section>
  );
}

function AlertSection({ wallet }: { wallet: string }) {
  const { t } = useTranslation();
  const alert = useAlert(wallet);
  const may = useMay("alerts.write");
  const remove = useRemoveAlert();
  const test = useTestAlert();
  const say = useSay();
  const [editing, setEditing] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  return (
    <Section title={t("alert.title")}>
      <Card className="max-w-2xl">
        {alert.isPending ? (
          <Skeleton className="h-12 w-full" />
        ) : alert.data ? (
          <>
            <p>
              {t("alert.below")} <Money value={alert.data.threshold_yuan} total /> →{" "}
              <code className="font-mono text-[13px] break-all">{alert.data.url}</code>
            </p>
            {alert.data.messages[0] && (
              <p className="mt-1 text-[13px] text-soft">
                {t("alert.last")} <Time ms={alert.data.messages[0].created_ms} ago /> · {alert.data.messages[0].state} ·{" "}
                {alert.data.messages[0].answer}
              </p>
            )}
          </>
        ) : (
          <p className="text-soft">{t("alert.none")}</p>
        )}
        {may && (
          <div className="mt-3 flex flex-wrap gap-2">
            <Button size="sm" onClick={() => setEditing(true)}>
              {alert.data ? t("common.edit") : t("alert.set")}
            </Button>
            {alert.data && (
              <>
                <Button
                  size="sm"
                  busy={test.isPending}
                  onClick={() =>
                    test.mutate(wallet, {
                      onSuccess: (sent) =>
                        say(t(sent.delivered ? "alert.delivered" : "alert.not_delivered", { answer: sent.answer })),
                    })
                  }
                >
                  {t("alert.test")}
                </Button>
                <Button size="sm" kind="danger" busy={remove.isPending} onClick={() => remove.mutate(wallet)}>
                  {t("common.delete")}
                </Button>
              </>
            )}
          </div>
        )}
        {(test.error ?? remove.error) && (
          <div className="mt-3">
            <ErrorNote error={test.error ?? remove.error} />
          </div>
        )}
      </Card>
      <Dialog open={editing} onOpenChange={setEditing} title={t("alert.title")} description={t("alert.text")}>
        <AlertForm
          wallet={wallet}
          threshold={alert.data?.threshold_yuan ?? ""}
          url={alert.data?.url ?? ""}
          onDone={(made) => {
            setEditing(false);
            setSecret(made);
          }}
        />
      </Dialog>
      {secret && (
        <SecretDialog
          title={t("alert.secret")}
          name={t("alert.secret_name")}
          secret={secret}
          onClose={() => setSecret(null)}
        >
          <p className="mt-3 text-[13px] text-soft">{t("alert.secret_text")}</p>
        </SecretDialog>
      )}
    </Section>
  );
}

function AlertForm({
  wallet,
  threshold,
  url,
  onDone,
}: {
  wallet: string;
  threshold: string;
  url: string;
  onDone: (secret: string | null) => void;
}) {
  const { t } = useTranslation();
  const set = useSetAlert();
  const [draft, setDraft] = useState({ threshold, url, renew: false });
  const wrong = draft.threshold !== "" && !isAmount(draft.threshold);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!wrong)
      set.mutate(
        { wallet_id: wallet, threshold_yuan: draft.threshold, url: draft.url, new_secret: draft.renew },
        { onSuccess: (made) => onDone(made.secret) },
      );
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {set.error && <ErrorNote error={set.error} />}
      <Input
        label={t("alert.threshold")}
        inputMode="decimal"
        required
        problem={wrong ? t("keys.not_an_amount") : null}
        value={draft.threshold}
        onChange={(event) => setDraft({ ...draft, threshold: event.target.value.trim() })}
      />
      <Input
        label={t("alert.url")}
        type="url"
        required
        hint={t("alert.url_hint")}
        placeholder="https://"
        value={draft.url}
        onChange={(event) => setDraft({ ...draft, url: event.target.value.trim() })}
      />
      {url !== "" && (
        <Checkbox checked={draft.renew} onChange={(renew) => setDraft({ ...draft, renew })} label={t("alert.renew")} />
      )}
      <Button type="submit" kind="primary" busy={set.isPending}>
        {t("common.save")}
      </Button>
    </form>
  );
}

function CreateWallet({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const create = useCreateWallet();
  const [name, setName] = useState("");
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate(name.trim(), { onSuccess: onDone });
      }}
    >
      {create.error && <ErrorNote error={create.error} />}
      <Note>{t("wallet.create_text")}</Note>
      <Input
        label={t("wallet.name")}
        required
        maxLength={100}
        autoFocus
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <Button type="submit" kind="primary" busy={create.isPending}>
        {t("common.create")}
      </Button>
    </form>
  );
}
