/** Everybody who has an account: who may sign in, and who operates the platform. */
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useAdminUsers, useChangeUser } from "@/api/admin";
import { useMe } from "@/api/session";
import type { AdminUser, UserChange } from "@/api/types";
import { Button, IconButton } from "@/parts/button";
import { Confirm } from "@/parts/dialog";
import { Time } from "@/parts/figures";
import { Icon } from "@/parts/icons";
import { Menu, MenuItem } from "@/parts/menu";
import { Badge, Empty } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { SearchField } from "@/parts/search-field";
import { Pager, Table, type Column } from "@/parts/table";
import { useSay } from "@/parts/toast";

import { useListSearch } from "./list-search";

const CHANGES = {
  promote: { operator: true },
  demote: { operator: false },
  disable: { disabled: true },
  enable: { disabled: false },
} satisfies Record<string, UserChange>;
type Change = keyof typeof CHANGES;

export function AdminUsersPage() {
  const { t } = useTranslation();
  const me = useMe();
  const { search, set } = useListSearch("/admin/users");
  const users = useAdminUsers(search.q ?? "", search.after);
  const change = useChangeUser();
  const say = useSay();
  const [asked, setAsked] = useState<{ user: AdminUser; change: Change } | null>(null);
  const columns: Column<AdminUser>[] = [
    {
      id: "name",
      title: t("admin.user"),
      cell: (user) => (
        <>
          <span className="font-medium">{user.name}</span>
          {user.id === me?.id && <span className="text-faint"> {t("admin.you")}</span>}
          <span className="block text-[13px] text-faint">{user.email}</span>
        </>
      ),
    },
    {
      id: "state",
      title: t("keys.state"),
      cell: (user) => (
        <span className="flex gap-1">
          {user.operator && <Badge tone="accent">{t("admin.operator")}</Badge>}
          {user.disabled_ms === null ? (
            <Badge tone="good">{t("keys.state_active")}</Badge>
          ) : (
            <Badge tone="bad">{t("keys.state_disabled")}</Badge>
          )}
        </span>
      ),
    },
    {
      id: "last",
      title: t("admin.last_sign_in"),
      cell: (user) =>
        user.last_sign_in_ms === null ? (
          <span className="text-faint">{t("common.never")}</span>
        ) : (
          <Time ms={user.last_sign_in_ms} ago />
        ),
    },
    { id: "created", title: t("keys.created_at"), cell: (user) => <Time ms={user.created_ms} ago /> },
    {
      id: "actions",
      title: "",
      right: true,
      cell: (user) => user.id !== me?.id && <Actions user={user} onAsk={(next) => setAsked({ user, change: next })} />,
    },
  ];
  return (
    <>
      <PageHeader title={t("admin.users")}>{t("admin.users_lead")}</PageHeader>
      <div className="mb-4">
        <SearchField label={t("admin.search_users")} value={search.q ?? ""} onChange={(q) => set({ q })} />
      </div>
      <Table
        label={t("admin.users")}
        columns={columns}
        rows={users.data?.data}
        rowKey={(user) => user.id}
        error={users.error}
        onRetry={() => void users.refetch()}
        empty={<Empty title={t("table.nothing")} />}
      />
      <Pager
        shown={users.data?.data.length}
        next={users.data?.next}
        atStart={!search.after}
        onFirst={() => set({ q: search.q })}
        onNext={(after) => set({ ...search, after })}
      />
      {asked && (
        <Confirm
          open
          onOpenChange={() => setAsked(null)}
          title={t(`admin.${asked.change}_title`, { name: asked.user.name })}
          action={t(`admin.${asked.change}`)}
          danger={asked.change !== "enable"}
          onConfirm={async () => {
            await change.mutateAsync({ id: asked.user.id, change: CHANGES[asked.change] });
            say(t("common.saved"));
          }}
        >
          <p>{asked.user.email}</p>
          <p className="mt-2">{t(`admin.${asked.change}_text`)}</p>
        </Confirm>
      )}
    </>
  );
}

function Actions({ user, onAsk }: { user: AdminUser; onAsk: (change: Change) => void }) {
  const { t } = useTranslation();
  if (user.disabled_ms !== null)
    return (
      <Button size="sm" onClick={() => onAsk("enable")}>
        {t("admin.enable")}
      </Button>
    );
  return (
    <Menu
      label={t("common.more")}
      button={
        <IconButton label={`${t("common.more")}: ${user.name}`}>
          <Icon name="more" />
        </IconButton>
      }
    >
      <MenuItem onSelect={() => onAsk(user.operator ? "demote" : "promote")}>
        {user.operator ? t("admin.demote") : t("admin.promote")}
      </MenuItem>
      <MenuItem danger onSelect={() => onAsk("disable")}>
        {t("admin.disable")}
      </MenuItem>
    </Menu>
  );
}
