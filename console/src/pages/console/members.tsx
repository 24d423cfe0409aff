/** Members and their roles, and invitations that are still open. */
import { useState, type SyntheticEvent } from "react";
import { useTranslation } from "react-i18next";

import {
  useChangeRole,
  useInvitations,
  useInvite,
  useMay,
  useMembers,
  useOrg,
  useRemoveMember,
  useWithdrawInvitation,
} from "@/api/orgs";
import { useMe } from "@/api/session";
import type { Invitation, Member, Role } from "@/api/types";
import { Button } from "@/parts/button";
import { Confirm, Dialog } from "@/parts/dialog";
import { Input, Select } from "@/parts/field";
import { Time } from "@/parts/figures";
import { Icon } from "@/parts/icons";
import { Empty, ErrorNote } from "@/parts/notes";
import { PageHeader, Section } from "@/parts/page";
import { SecretDialog } from "@/parts/secret";
import { Table, type Column } from "@/parts/table";
import { useSay } from "@/parts/toast";

const ROLES: readonly Role[] = ["owner", "admin", "developer", "billing", "viewer"];

export function MembersPage() {
  const { t } = useTranslation();
  const me = useMe();
  const org = useOrg();
  const may = useMay("members.write");
  const members = useMembers();
  const change = useChangeRole();
  const remove = useRemoveMember();
  const say = useSay();
  const [inviting, setInviting] = useState(false);
  const [removing, setRemoving] = useState<Member | null>(null);
  const [link, setLink] = useState<string | null>(null);
  const roles = ROLES.filter((role) => role !== "owner" || org?.role === "owner" || me?.operator);
  const columns: Column<Member>[] = [
    {
      id: "name",
      title: t("members.member"),
      cell: (member) => (
        <>
          <span className="font-medium">{member.name}</span>
          <span className="block text-[13px] text-faint">{member.email}</span>
        </>
      ),
    },
    {
      id: "role",
      title: t("members.role"),
      cell: (member) =>
        may && member.user_id !== me?.id && (member.role !== "owner" || roles.includes("owner")) ? (
          <div className="w-40">
            <Select
              label={`${t("members.role")}: ${member.name}`}
              bare
              value={member.role}
              options={roles.map((role) => ({ value: role, label: t(`roles.${role}`) }))}
              onChange={(event) => {
                const role = ROLES.find((one) => one === event.target.value);
                if (role) change.mutate({ user_id: member.user_id, role }, { onSuccess: () => say(t("common.saved")) });
              }}
            />
          </div>
        ) : (
          t(`roles.${member.role}`)
        ),
    },
    { id: "joined", title: t("members.joined"), cell: (member) => <Time ms={member.created_ms} ago /> },
    ...(may
      ? [
          {
            id: "actions",
            title: "",
            right: true,
            cell: (member: Member) =>
              member.user_id !== me?.id && (
                <Button size="sm" kind="quiet" onClick={() => setRemoving(member)}>
                  {t("members.remove")}
                </Button>
              ),
          },
        ]
      : []),
  ];
  return (
    <>
      <PageHeader
        title={t("members.title")}
        actions={
          may && (
            <Button kind="primary" onClick={() => setInviting(true)}>
              <Icon name="plus" className="size-3.5" />
              {t("members.invite")}
            </Button>
          )
        }
      >
        {t("members.lead")}
      </PageHeader>
      {change.error && (
        <div className="mb-3">
          <ErrorNote error={change.error} />
        </div>
      )}
      <Table
        label={t("members.title")}
        columns={columns}
        rows={members.data?.data}
        rowKey={(member) => member.user_id}
        error={members.error}
        onRetry={() => void members.refetch()}
        empty={<Empty title={t("members.none")} />}
      />
      <RoleGuide />
      {may && <Invitations />}
      <Dialog
        open={inviting}
        onOpenChange={setInviting}
        title={t("members.invite")}
        description={t("members.invite_text")}
      >
        <InviteForm
          roles={roles}
          onDone={(url) => {
            setInviting(false);
            setLink(url);
          }}
        />
      </Dialog>
      {link && (
        <SecretDialog
          title={t("members.invited")}
          name={t("members.invitation_link")}
          secret={link}
          onClose={() => setLink(null)}
        >
          <p className="mt-3 text-[13px] text-soft">{t("members.invited_text")}</p>
        </SecretDialog>
      )}
      {removing && (
        <Confirm
          open
          onOpenChange={() => setRemoving(null)}
          title={t("members.remove")}
          action={t("members.remove")}
          onConfirm={() => remove.mutateAsync(removing.user_id)}
        >
          {t("members.remove_text", { name: removing.name })}
        </Confirm>
      )}
    </>
  );
}

function RoleGuide() {
  const { t } = useTranslation();
  return (
    <details className="mt-4 max-w-[75ch] text-[13px]">
      <summary className="text-soft">{t("roles.title")}</summary>
      <dl className="mt-2 grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5">
        {ROLES.map((role) => (
          <div key={role} className="contents">
            <dt className="font-medium">{t(`roles.${role}`)}</dt>
            <dd className="text-soft">{t(`roles.${role}_text`)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Invitations() {
  const { t } = useTranslation();
  const invitations = useInvitations(true);
  const withdraw = useWithdrawInvitation();
  if (invitations.data?.data.length === 0) return null;
  const columns: Column<Invitation>[] = [
    { id: "email", title: t("auth.email"), cell: (invitation) => invitation.email || t("members.anyone") },
    { id: "role", title: t("members.role"), cell: (invitation) => t(`roles.${invitation.role}`) },
    { id: "expires", title: t("members.expires"), cell: (invitation) => <Time ms={invitation.expires_ms} ago /> },
    {
      id: "actions",
      title: "",
      right: true,
      cell: (invitation) => (
        <Button size="sm" kind="quiet" onClick={() => withdraw.mutate(invitation.id)}>
          {t("members.withdraw")}
        </Button>
      ),
    },
  ];
  return (
    <Section title={t("members.invitations")}>
      <Table
        label={t("members.invitations")}
        columns={columns}
        rows={invitations.data?.data}
        rowKey={(invitation) => invitation.id}
        error={invitations.error ?? withdraw.error}
        empty={null}
        skeletonRows={2}
      />
    </Section>
  );
}

function InviteForm({ roles, onDone }: { roles: readonly Role[]; onDone: (url: string) => void }) {
  const { t } = useTranslation();
  const invite = useInvite();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<Role>("developer");
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    invite.mutate({ email: email.trim(), role }, { onSuccess: (made) => onDone(made.url) });
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {invite.error && <ErrorNote error={invite.error} />}
      <Input
        label={t("auth.email")}
        type="email"
        hint={t("members.email_hint")}
        autoFocus
        value={email}
        onChange={(event) => setEmail(event.target.value)}
      />
      <Select
        label={t("members.role")}
        hint={t(`roles.${role}_text`)}
        value={role}
        options={roles.map((one) => ({ value: one, label: t(`roles.${one}`) }))}
        onChange={(event) => setRole(roles.find((one) => one === event.target.value) ?? "developer")}
      />
      <Button type="submit" kind="primary" busy={invite.isPending}>
        {t("members.invite")}
      </Button>
    </form>
  );
}
