/** Operators' lists and settings: wallets to top up, the portal's settings, tokens, the whole audit log. */
import { useState, type SyntheticEvent } from "react";
import { useTranslation } from "react-i18next";

import {
  useAdminAudit,
  useAdminTokens,
  useAdminWallets,
  useChangeSettings,
  useMakeToken,
  usePortalSettings,
  useRevokeToken,
  useTopUp,
} from "@/api/admin";
import type { AdminToken, FoundWallet, PortalSettings, Wallet } from "@/api/types";
import { isAmount } from "@/lib/money";
import { newKey } from "@/lib/new-key";
import { GROUPS, type Group } from "@/i18n/audit";
import { AuditTable } from "@/pages/console/audit";
import { Button } from "@/parts/button";
import { Copyable } from "@/parts/copy";
import { Confirm, Dialog } from "@/parts/dialog";
import { Input, Select, Switch, Textarea } from "@/parts/field";
import { Money, Time } from "@/parts/figures";
import { Icon } from "@/parts/icons";
import { Empty, ErrorNote, PageSkeleton } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { SearchField } from "@/parts/search-field";
import { SecretDialog } from "@/parts/secret";
import { Pager, Table, type Column } from "@/parts/table";
import { useSay } from "@/parts/toast";

import { useListSearch } from "./list-search";

export function AdminWalletsPage() {
  const { t } = useTranslation();
  const { search, set } = useListSearch("/admin/wallets");
  const wallets = useAdminWallets(search.q ?? "", search.after);
  const [topping, setTopping] = useState<FoundWallet | null>(null);
  const say = useSay();
  const columns: Column<FoundWallet>[] = [
    { id: "name", title: t("wallet.name"), cell: (wallet) => <span className="font-medium">{wallet.name}</span> },
    {
      id: "org",
      title: t("layout.org"),
      cell: (wallet) => (
        <>
          {wallet.org_name}
          <div className="text-[12px] text-faint">
            <Copyable value={wallet.org_id} />
          </div>
        </>
      ),
    },
    { id: "id", title: "ID", cell: (wallet) => <Copyable value={wallet.id} /> },
    {
      id: "balance",
      title: t("wallet.balance"),
      right: true,
      cell: (wallet) => <Money value={wallet.balance_yuan} balance />,
    },
    { id: "held", title: t("wallet.held"), right: true, cell: (wallet) => <Money value={wallet.held_yuan} total /> },
    {
      id: "actions",
      title: "",
      right: true,
      cell: (wallet) => (
        <Button size="sm" onClick={() => setTopping(wallet)}>
          {t("recharge.title")}
        </Button>
      ),
    },
  ];
  return (
    <>
      <PageHeader title={t("admin.wallets")}>{t("admin.wallets_lead")}</PageHeader>
      <div className="mb-4">
        <SearchField label={t("admin.search_wallets")} value={search.q ?? ""} onChange={(q) => set({ q })} />
      </div>
      <Table
        label={t("admin.wallets")}
        columns={columns}
        rows={wallets.data?.data}
        rowKey={(wallet) => wallet.id}
        error={wallets.error}
        onRetry={() => void wallets.refetch()}
        empty={<Empty title={t("table.nothing")} />}
      />
      <Pager
        shown={wallets.data?.data.length}
        next={wallets.data?.next}
        atStart={!search.after}
        onFirst={() => set({ q: search.q })}
        onNext={(after) => set({ ...search, after })}
      />
      {topping && (
        <Dialog
          open
          onOpenChange={() => setTopping(null)}
          title={t("recharge.title")}
          description={`${topping.org_name} · ${topping.name}`}
        >
          <TopUpForm
            wallet={topping}
            onDone={() => {
              setTopping(null);
              say(t("admin.topped_up"));
            }}
          />
        </Dialog>
      )}
    </>
  );
}

function TopUpForm({ wallet, onDone }: { wallet: Wallet; onDone: () => void }) {
  const { t } = useTranslation();
  const topUp = useTopUp();
  const [amount, setAmount] = useState("");
  const [note, setNote] = useState("");
  const [once] = useState(newKey);
  const wrong = amount !== "" && !isAmount(amount);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!wrong) topUp.mutate({ id: wallet.id, once, amount_yuan: amount, note: note.trim() }, { onSuccess: onDone });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {topUp.error && <ErrorNote error={topUp.error} />}
      <Input
        label={t("codes.amount")}
        inputMode="decimal"
        required
        autoFocus
        problem={wrong ? t("keys.not_an_amount") : null}
        value={amount}
        onChange={(event) => setAmount(event.target.value.trim())}
      />
      <Input
        label={t("codes.note")}
        hint={t("admin.note_hint")}
        maxLength={200}
        value={note}
        onChange={(event) => setNote(event.target.value)}
      />
      <Button type="submit" kind="primary" busy={topUp.isPending}>
        {t("recharge.title")}
      </Button>
    </form>
  );
}

export function AdminSettingsPage() {
  const { t } = useTranslation();
  const settings = usePortalSettings();
  return (
    <>
      <PageHeader title={t("admin.settings")}>{t("admin.settings_lead")}</PageHeader>
      {settings.error ? (
        <ErrorNote error={settings.error} onRetry={() => void settings.refetch()} />
      ) : settings.data ? (
        <SettingsForm settings={settings.data} />
      ) : (
        <PageSkeleton />
      )}
    </>
  );
}

const SIGN_UPS = ["open", "invitation", "closed"] as const;

function SettingsForm({ settings }: { settings: PortalSettings }) {
  const { t } = useTranslation();
  const change = useChangeSettings();
  const say = useSay();
  const [draft, setDraft] = useState(settings);
  const set = (part: Partial<PortalSettings>) => setDraft((old) => ({ ...old, ...part }));
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    change.mutate(
      {
        sign_up: draft.sign_up,
        portal_public: draft.portal_public,
        site_name: draft.site_name,
        contact: draft.contact,
      },
      { onSuccess: () => say(t("common.saved")) },
    );
  };
  return (
    <form onSubmit={submit} className="flex max-w-xl flex-col gap-5">
      {change.error && <ErrorNote error={change.error} />}
      <Input
        label={t("admin.site_name")}
        required
        maxLength={100}
        value={draft.site_name}
        onChange={(event) => set({ site_name: event.target.value })}
      />
      <Select
        label={t("admin.sign_up")}
        options={SIGN_UPS.map((value) => ({ value, label: t(`admin.sign_up_${value}`) }))}
        value={draft.sign_up}
        onChange={(event) => set({ sign_up: SIGN_UPS.find((one) => one === event.target.value) ?? "closed" })}
      />
      <Switch
        label={t("admin.portal_public")}
        hint={t("admin.portal_public_text")}
        checked={draft.portal_public}
        onChange={(portal_public) => set({ portal_public })}
      />
      <Textarea
        label={t("home.contact")}
        hint={t("admin.contact_hint")}
        rows={5}
        value={draft.contact}
        onChange={(event) => set({ contact: event.target.value })}
      />
      <div>
        <Button type="submit" kind="primary" busy={change.isPending}>
          {t("common.save")}
        </Button>
      </div>
    </form>
  );
}

export function AdminTokensPage() {
  const { t } = useTranslation();
  const tokens = useAdminTokens();
  const make = useMakeToken();
  const revoke = useRevokeToken();
  const [making, setMaking] = useState(false);
  const [name, setName] = useState("");
  const [made, setMade] = useState<{ name: string; token: string } | null>(null);
  const [revoking, setRevoking] = useState<AdminToken | null>(null);
  const columns: Column<AdminToken>[] = [
    { id: "name", title: t("projects.name"), cell: (token) => <span className="font-medium">{token.name}</span> },
    {
      id: "token",
      title: t("admin.token"),
      cell: (token) => <code className="font-mono text-[13px]">tgadm-…{token.last4}</code>,
    },
    {
      id: "last",
      title: t("keys.last_used"),
      cell: (token) => (token.last_used_ms === null ? t("common.never") : <Time ms={token.last_used_ms} ago />),
    },
    { id: "created", title: t("keys.created_at"), cell: (token) => <Time ms={token.created_ms} ago /> },
    {
      id: "actions",
      title: "",
      right: true,
      cell: (token) => (
        <Button size="sm" kind="quiet" onClick={() => setRevoking(token)}>
          {t("codes.revoke")}
        </Button>
      ),
    },
  ];
  const newButton = (
    <Button kind="primary" onClick={() => setMaking(true)}>
      <Icon name="plus" className="size-3.5" />
      {t("admin.create_token")}
    </Button>
  );
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    make.mutate(
      { name: name.trim(), expires_ms: null },
      {
        onSuccess: (created) => {
          setMaking(false);
          setName("");
          setMade({ name: created.info.name, token: created.token });
        },
      },
    );
  };
  return (
    <>
      <PageHeader title={t("admin.tokens")} actions={newButton}>
        {t("admin.tokens_lead")}
      </PageHeader>
      <Table
        label={t("admin.tokens")}
        columns={columns}
        rows={tokens.data?.data}
        rowKey={(token) => token.id}
        error={tokens.error}
        onRetry={() => void tokens.refetch()}
        empty={
          <Empty title={t("admin.no_tokens")} action={newButton}>
            {t("admin.no_tokens_text")}
          </Empty>
        }
      />
      <Dialog open={making} onOpenChange={setMaking} title={t("admin.create_token")}>
        <form onSubmit={submit} className="flex flex-col gap-4">
          {make.error && <ErrorNote error={make.error} />}
          <Input
            label={t("projects.name")}
            required
            maxLength={100}
            autoFocus
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <Button type="submit" kind="primary" busy={make.isPending}>
            {t("common.create")}
          </Button>
        </form>
      </Dialog>
      {made && (
        <SecretDialog
          title={t("admin.create_token")}
          name={made.name}
          secret={made.token}
          onClose={() => setMade(null)}
        />
      )}
      {revoking && (
        <Confirm
          open
          onOpenChange={() => setRevoking(null)}
          title={t("codes.revoke")}
          action={t("codes.revoke")}
          onConfirm={() => revoke.mutateAsync(revoking.id)}
        >
          {t("admin.revoke_token_text", { name: revoking.name })}
        </Confirm>
      )}
    </>
  );
}

export function AdminAuditPage() {
  const { t } = useTranslation();
  const { search, set } = useListSearch("/admin/audit");
  const audit = useAdminAudit(search.q ?? "", search.after);
  return (
    <>
      <PageHeader title={t("audit.title")}>{t("admin.audit_lead")}</PageHeader>
      <AuditTable
        page={audit.data}
        error={audit.error}
        onRetry={() => void audit.refetch()}
        stale={audit.isPlaceholderData}
        groups={Object.keys(GROUPS) as Group[]}
        group={search.q}
        onGroup={(q) => set({ q })}
        after={search.after}
        onPage={(after) => set({ ...search, after })}
      />
    </>
  );
}
