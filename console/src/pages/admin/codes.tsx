/** Redemption codes: batches, made, downloaded once, revoked. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState, type SyntheticEvent } from "react";
import { useTranslation } from "react-i18next";

import { useCodeBatches, useMakeBatch, useRevokeBatch } from "@/api/admin";
import type { CodeBatch, MadeBatch } from "@/api/types";
import { compact } from "@/lib/filters";
import { isAmount } from "@/lib/money";
import { DAY_MS, startOfDay } from "@/lib/time";
import { Button } from "@/parts/button";
import { CopyButton } from "@/parts/copy";
import { Confirm, Dialog } from "@/parts/dialog";
import { Input } from "@/parts/field";
import { Money, Time } from "@/parts/figures";
import { Icon } from "@/parts/icons";
import { Badge, Empty, ErrorNote, Note, type Tone } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { Pager, Table, type Column } from "@/parts/table";

const STATES = ["open", "expired", "revoked", "redeemed"] as const;
const TONES: Record<(typeof STATES)[number], Tone> = {
  open: "good",
  expired: "warn",
  revoked: "bad",
  redeemed: "neutral",
};

export function CodesPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/admin/codes" });
  const navigate = useNavigate({ from: "/admin/codes" });
  const batches = useCodeBatches(search.after);
  const revoke = useRevokeBatch();
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<MadeBatch | null>(null);
  const [revoking, setRevoking] = useState<CodeBatch | null>(null);
  const columns: Column<CodeBatch>[] = [
    { id: "created", title: t("keys.created_at"), cell: (batch) => <Time ms={batch.created_ms} /> },
    {
      id: "note",
      title: t("codes.note"),
      cell: (batch) => batch.note || <span className="font-mono text-[13px] text-faint">{batch.id}</span>,
    },
    { id: "amount", title: t("codes.amount"), right: true, cell: (batch) => <Money value={batch.amount_yuan} total /> },
    { id: "redeemed", title: t("codes.redeemed"), right: true, cell: (batch) => `${batch.redeemed} / ${batch.count}` },
    {
      id: "expires",
      title: t("members.expires"),
      cell: (batch) => (batch.expires_ms === null ? t("codes.unlimited") : <Time ms={batch.expires_ms} />),
    },
    {
      id: "state",
      title: t("keys.state"),
      cell: (batch) => {
        const known = STATES.find((state) => state === batch.state);
        return known ? <Badge tone={TONES[known]}>{t(`codes.state_${known}`)}</Badge> : batch.state;
      },
    },
    {
      id: "actions",
      title: "",
      right: true,
      cell: (batch) =>
        batch.state === "open" && (
          <Button size="sm" kind="quiet" onClick={() => setRevoking(batch)}>
            {t("codes.revoke")}
          </Button>
        ),
    },
  ];
  const newButton = (
    <Button kind="primary" onClick={() => setMaking(true)}>
      <Icon name="plus" className="size-3.5" />
      {t("codes.create")}
    </Button>
  );
  return (
    <>
      <PageHeader title={t("codes.title")} actions={newButton}>
        {t("codes.lead")}
      </PageHeader>
      <Table
        label={t("codes.title")}
        columns={columns}
        rows={batches.data?.data}
        rowKey={(batch) => batch.id}
        error={batches.error}
        onRetry={() => void batches.refetch()}
        empty={
          <Empty title={t("codes.none")} action={newButton}>
            {t("codes.none_text")}{" "}
            <code className="font-mono text-[13px]">tokengate codes create --count 100 --amount 10</code>
          </Empty>
        }
      />
      <Pager
        shown={batches.data?.data.length}
        next={batches.data?.next}
        atStart={!search.after}
        onFirst={() => void navigate({ search: {} })}
        onNext={(after) => void navigate({ search: compact({ after }) })}
      />
      <Dialog open={making} onOpenChange={setMaking} title={t("codes.create")}>
        <BatchFields
          onMade={(batch) => {
            setMaking(false);
            setMade(batch);
          }}
        />
      </Dialog>
      {made && <CodesDialog made={made} onClose={() => setMade(null)} />}
      {revoking && (
        <Confirm
          open
          onOpenChange={() => setRevoking(null)}
          title={t("codes.revoke")}
          action={t("codes.revoke")}
          onConfirm={() => revoke.mutateAsync(revoking.id)}
        >
          {t("codes.revoke_text", { count: revoking.count - revoking.redeemed })}
        </Confirm>
      )}
    </>
  );
}

function BatchFields({ onMade }: { onMade: (made: MadeBatch) => void }) {
  const { t } = useTranslation();
  const make = useMakeBatch();
  const [draft, setDraft] = useState({ count: "10", amount: "10", expires: "", note: "" });
  const countOk = /^[1-9]\d{0,4}$/.test(draft.count);
  const amountOk = isAmount(draft.amount);
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!countOk || !amountOk) return;
    const day = startOfDay(draft.expires);
    make.mutate(
      {
        count: Number(draft.count),
        amount_yuan: draft.amount,
        expires_ms: day === null ? null : day + DAY_MS,
        note: draft.note.trim(),
      },
      { onSuccess: onMade },
    );
  };
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      {make.error && <ErrorNote error={make.error} />}
      <div className="grid gap-4 sm:grid-cols-2">
        <Input
          label={t("codes.count")}
          inputMode="numeric"
          required
          problem={countOk ? null : t("keys.not_a_count")}
          value={draft.count}
          onChange={(event) => setDraft({ ...draft, count: event.target.value.trim() })}
        />
        <Input
          label={t("codes.amount_each")}
          inputMode="decimal"
          required
          problem={amountOk ? null : t("keys.not_an_amount")}
          value={draft.amount}
          onChange={(event) => setDraft({ ...draft, amount: event.target.value.trim() })}
        />
      </div>
      <Input
        label={t("codes.expires")}
        type="date"
        hint={t("keys.expires_hint")}
        value={draft.expires}
        onChange={(event) => setDraft({ ...draft, expires: event.target.value })}
      />
      <Input
        label={t("codes.note")}
        hint={t("codes.note_hint")}
        maxLength={200}
        value={draft.note}
        onChange={(event) => setDraft({ ...draft, note: event.target.value })}
      />
      <Button type="submit" kind="primary" busy={make.isPending}>
        {t("codes.create")}
      </Button>
    </form>
  );
}

function CodesDialog({ made, onClose }: { made: MadeBatch; onClose: () => void }) {
  const { t } = useTranslation();
  const text = made.codes.join("\n");
  const save = () => {
    const rows = [
      "code,yuan,expires_ms,batch",
      ...made.codes.map((code) => [code, made.batch.amount_yuan, made.batch.expires_ms ?? "", made.batch.id].join(",")),
    ];
    const url = URL.createObjectURL(new Blob([`${rows.join("\r\n")}\r\n`], { type: "text/csv" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = `${made.batch.id}.csv`;
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <Dialog open onOpenChange={onClose} title={t("codes.made", { count: made.codes.length })} sticky wide>
      <Note tone="warn">{t("codes.once")}</Note>
      <textarea
        readOnly
        aria-label={t("codes.title")}
        rows={Math.min(12, made.codes.length)}
        value={text}
        className="mt-4 w-full rounded-md border border-line bg-code p-3 font-mono text-[13px]"
      />
      <div className="mt-4 flex flex-wrap justify-between gap-2">
        <span className="flex gap-2">
          <Button onClick={save}>
            <Icon name="download" className="size-3.5" />
            CSV
          </Button>
          <CopyButton value={text} text={t("common.copy")} className="h-9" />
        </span>
        <Button kind="primary" onClick={onClose}>
          {t("secret.kept")}
        </Button>
      </div>
    </Dialog>
  );
}
