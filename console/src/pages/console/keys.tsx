/** The keys of the organisation. */
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useDisableKey, useEnableKey, useKeys, useRotateKey } from "@/api/keys";
import { useMay, useProjects } from "@/api/orgs";
import type { ApiKey, CreatedKey } from "@/api/types";
import { compact } from "@/lib/filters";
import { compare } from "@/lib/money";
import { useNow } from "@/lib/now";
import { setTabKey } from "@/lib/tab-key";
import { Button, IconButton } from "@/parts/button";
import { Confirm, Dialog } from "@/parts/dialog";
import { Money, Time } from "@/parts/figures";
import { Icon } from "@/parts/icons";
import { Menu, MenuItem, MenuLink, MenuSeparator } from "@/parts/menu";
import { Badge, Empty } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { SearchField } from "@/parts/search-field";
import { SecretDialog } from "@/parts/secret";
import { Pager, Table, type Column } from "@/parts/table";
import { useSay } from "@/parts/toast";

import { KeyForm } from "./key-form";

const PAGE = 50;

type Doing = { what: "create" } | { what: "edit" | "rotate" | "disable"; key: ApiKey } | null;

export function KeysPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/console/keys" });
  const navigate = useNavigate({ from: "/console/keys" });
  const keys = useKeys(compact({ q: search.q, after: search.after }), PAGE);
  const mayWrite = useMay("keys.write");
  const say = useSay();
  const [doing, setDoing] = useState<Doing>(null);
  const [created, setCreated] = useState<CreatedKey | null>(null);
  const rotate = useRotateKey();
  const disable = useDisableKey();
  const enable = useEnableKey();
  const columns = useColumns(
    mayWrite
      ? (key) => (
          <Menu
            label={t("common.more")}
            button={
              <IconButton label={`${t("common.more")}: ${key.name}`}>
                <Icon name="more" />
              </IconButton>
            }
          >
            <MenuItem onSelect={() => setDoing({ what: "edit", key })}>{t("common.edit")}</MenuItem>
            <MenuLink>
              <Link to="/console/calls" search={{ key_id: key.id }}>
                {t("keys.see_calls")}
              </Link>
            </MenuLink>
            <MenuItem disabled={key.kind === "session"} onSelect={() => setDoing({ what: "rotate", key })}>
              {t("keys.rotate")}
            </MenuItem>
            <MenuSeparator />
            {key.disabled_ms === null ? (
              <MenuItem danger onSelect={() => setDoing({ what: "disable", key })}>
                {t("keys.disable")}
              </MenuItem>
            ) : (
              <MenuItem onSelect={() => enable.mutate(key.id, { onSuccess: () => say(t("keys.enabled")) })}>
                {t("keys.enable")}
              </MenuItem>
            )}
          </Menu>
        )
      : null,
  );
  const show = (made: CreatedKey) => {
    setDoing(null);
    setTabKey(made.secret);
    setCreated(made);
  };
  const close = () => setDoing(null);
  const newButton = mayWrite && (
    <Button kind="primary" onClick={() => setDoing({ what: "create" })}>
      <Icon name="plus" className="size-3.5" />
      {t("keys.create")}
    </Button>
  );
  return (
    <>
      <PageHeader title={t("keys.title")} actions={newButton}>
        {t("keys.lead")}
      </PageHeader>
      <div className="mb-4">
        <SearchField
          label={t("keys.search")}
          value={search.q ?? ""}
          onChange={(q) => void navigate({ search: (old) => compact({ ...old, after: undefined, q }), replace: true })}
        />
      </div>
      <Table
        label={t("keys.title")}
        columns={columns}
        rows={keys.data?.data}
        rowKey={(key) => key.id}
        error={keys.error}
        onRetry={() => void keys.refetch()}
        empty={
          <Empty title={search.q ? t("keys.none_found") : t("keys.none")} action={newButton}>
            {t("keys.none_text")}
          </Empty>
        }
      />
      <Pager
        total={keys.data?.total}
        shown={keys.data?.data.length}
        next={keys.data?.next}
        atStart={!search.after}
        onFirst={() => void navigate({ search: (old) => compact({ ...old, after: undefined }) })}
        onNext={(after) => void navigate({ search: (old) => ({ ...old, after }) })}
      />
      <Dialog open={doing?.what === "create"} onOpenChange={close} title={t("keys.create")} wide>
        <KeyForm onCreated={show} onCancel={close} />
      </Dialog>
      {doing?.what === "edit" && (
        <Dialog open onOpenChange={close} title={t("keys.edit")} wide>
          <KeyForm
            apiKey={doing.key}
            onSaved={() => {
              close();
              say(t("common.saved"));
            }}
            onCancel={close}
          />
        </Dialog>
      )}
      {doing?.what === "rotate" && (
        <Confirm
          open
          onOpenChange={close}
          title={t("keys.rotate")}
          action={t("keys.rotate")}
          onConfirm={() => rotate.mutateAsync(doing.key.id).then(show)}
        >
          {t("keys.rotate_text", { name: doing.key.name })}
        </Confirm>
      )}
      {doing?.what === "disable" && (
        <Confirm
          open
          onOpenChange={close}
          title={t("keys.disable")}
          action={t("keys.disable")}
          onConfirm={() => disable.mutateAsync(doing.key.id)}
        >
          {t("keys.disable_text", { name: doing.key.name })}
        </Confirm>
      )}
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

function useColumns(actions: ((key: ApiKey) => React.ReactNode) | null): Column<ApiKey>[] {
  const { t } = useTranslation();
  const projects = useProjects();
  const projectName = (id: string): string => projects.data?.data.find((one) => one.id === id)?.name ?? id;
  return [
    {
      id: "name",
      title: t("keys.name"),
      cell: (key) => (
        <>
          <span className="font-medium">{key.name}</span>
          <span className="block font-mono text-[12px] text-faint">
            {key.prefix}…{key.last4}
          </span>
        </>
      ),
    },
    { id: "state", title: t("keys.state"), cell: (key) => <KeyState apiKey={key} /> },
    { id: "project", title: t("keys.project"), cell: (key) => projectName(key.project_id) },
    { id: "budget", title: t("keys.budget_used"), cell: (key) => <Budget apiKey={key} />, className: "min-w-40" },
    {
      id: "last",
      title: t("keys.last_used"),
      cell: (key) =>
        key.last_used_ms === null ? (
          <span className="text-faint">{t("common.never")}</span>
        ) : (
          <Time ms={key.last_used_ms} ago />
        ),
    },
    { id: "created", title: t("keys.created_at"), cell: (key) => <Time ms={key.created_ms} ago /> },
    ...(actions ? [{ id: "actions", title: "", cell: actions, right: true }] : []),
  ];
}

function KeyState({ apiKey }: { apiKey: ApiKey }) {
  const { t } = useTranslation();
  const now = useNow();
  if (apiKey.disabled_ms !== null) return <Badge tone="bad">{t("keys.state_disabled")}</Badge>;
  if (apiKey.expires_ms !== null && apiKey.expires_ms <= now)
    return <Badge tone="bad">{t("keys.state_expired")}</Badge>;
  if (apiKey.kind === "session") return <Badge>{t("keys.state_session")}</Badge>;
  return (
    <span className="inline-flex items-center gap-2">
      <Badge tone="good">{t("keys.state_active")}</Badge>
      {apiKey.expires_ms !== null && (
        <span className="text-[13px] text-soft">
          {t("keys.until")} <Time ms={apiKey.expires_ms} ago />
        </span>
      )}
    </span>
  );
}

function Budget({ apiKey }: { apiKey: ApiKey }) {
  const { t } = useTranslation();
  const budget = apiKey.budget;
  if (!budget) return <span className="text-faint">{t("common.unlimited")}</span>;
  const over = compare(budget.spent_yuan, budget.amount_yuan) >= 0;
  return (
    <span className={over ? "text-bad" : ""}>
      <Money value={budget.spent_yuan} total /> / <Money value={budget.amount_yuan} total />
      <span className="block text-[12px] text-faint">
        {t(`keys.period_${budget.period}`)}
        {budget.resets_ms !== null && (
          <>
            {" · "}
            {t("keys.resets")} <Time ms={budget.resets_ms} ago />
          </>
        )}
      </span>
    </span>
  );
}
