/** AI applications: published, changed, turned off and deleted; those of the configuration are shown beside them. */
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { useApps, useDeleteApp, useSwitchApp } from "@/api/admin";
import type { App } from "@/api/types";
import { currentLanguage } from "@/i18n";
import { yuan } from "@/lib/money";
import { Button, IconButton } from "@/parts/button";
import { Copyable } from "@/parts/copy";
import { Confirm, Dialog } from "@/parts/dialog";
import { Time } from "@/parts/figures";
import { Icon } from "@/parts/icons";
import { Menu, MenuItem } from "@/parts/menu";
import { Badge, Empty, type Tone } from "@/parts/notes";
import { PageHeader } from "@/parts/page";
import { Table, type Column } from "@/parts/table";
import { useSay } from "@/parts/toast";

import { AppForm } from "./app-form";

const TONES: Record<App["state"], Tone> = {
  available: "good",
  disabled: "neutral",
  not_offered: "warn",
  unpriced: "warn",
  model_gone: "bad",
  name_taken: "bad",
  not_a_chat_model: "bad",
  bad_price: "bad",
};

type Asked = { app: App; to: "turn_off" | "delete" };

export function AppsPage() {
  const { t } = useTranslation();
  const apps = useApps();
  const remove = useDeleteApp();
  const turn = useSwitchApp();
  const say = useSay();
  const [making, setMaking] = useState(false);
  const [changing, setChanging] = useState<App | null>(null);
  const [asked, setAsked] = useState<Asked | null>(null);
  const language = currentLanguage();
  const columns: Column<App>[] = [
    {
      id: "name",
      title: t("apps.name"),
      cell: (app) => (
        <>
          <span className="font-medium">{app.title[language] || app.title.zh || app.title.en || app.name}</span>
          <span className="block text-[13px] text-faint">
            <Copyable value={`app/${app.name}`} />
          </span>
        </>
      ),
    },
    { id: "model", title: t("apps.model"), wide: true, cell: (app) => <span className="font-mono">{app.model}</span> },
    { id: "price", title: t("apps.price"), wide: true, cell: (app) => <PriceCell app={app} /> },
    {
      id: "state",
      title: t("keys.state"),
      cell: (app) => <Badge tone={TONES[app.state]}>{t(`apps.state_${app.state}`)}</Badge>,
    },
    {
      id: "changed",
      title: t("apps.changed"),
      wide: true,
      cell: (app) =>
        app.changed_ms === null ? (
          <span className="text-faint">{t("apps.configured")}</span>
        ) : (
          <Time ms={app.changed_ms} ago />
        ),
    },
    {
      id: "actions",
      title: "",
      right: true,
      cell: (app) => (
        <span className="inline-flex items-center gap-2">
          {app.state === "available" && (
            <Link
              to="/docs/$"
              params={{ _splat: `chat.completions/app/${app.name}` }}
              className="text-accent underline underline-offset-3"
              aria-label={`${t("apps.try")}: ${app.name}`}
            >
              {t("apps.try")}
            </Link>
          )}
          {!app.configured && (
            <Actions
              app={app}
              onChange={() => setChanging(app)}
              onOn={() => turn.mutate({ name: app.name, disabled: false }, { onSuccess: () => say(t("apps.saved")) })}
              onAsk={(to) => setAsked({ app, to })}
            />
          )}
        </span>
      ),
    },
  ];
  const newButton = (
    <Button kind="primary" onClick={() => setMaking(true)}>
      <Icon name="plus" className="size-3.5" />
      {t("apps.create")}
    </Button>
  );
  const close = () => {
    setMaking(false);
    setChanging(null);
  };
  return (
    <>
      <PageHeader title={t("apps.title")} actions={newButton}>
        {t("apps.lead")}
      </PageHeader>
      <Table
        label={t("apps.title")}
        columns={columns}
        rows={apps.data?.data}
        rowKey={(app) => `${app.configured ? "file" : "here"} ${app.name}`}
        error={apps.error}
        onRetry={() => void apps.refetch()}
        empty={
          <Empty title={t("apps.none")} action={newButton}>
            {t("apps.none_text")}{" "}
            <code className="font-mono text-[13px]">tokengate apps create guide --model qwen-plus</code>
          </Empty>
        }
      />
      <Dialog
        open={making || changing !== null}
        onOpenChange={close}
        title={changing ? `${t("apps.change")}: ${changing.name}` : t("apps.create")}
        wide
      >
        <AppForm
          app={changing}
          onCancel={close}
          onSaved={() => {
            close();
            say(t("apps.saved"));
          }}
        />
      </Dialog>
      {asked && (
        <Confirm
          open
          onOpenChange={() => setAsked(null)}
          title={t(`apps.${asked.to}_title`, { name: asked.app.name })}
          action={t(`apps.${asked.to}`)}
          onConfirm={async () => {
            if (asked.to === "delete") await remove.mutateAsync(asked.app.name);
            else await turn.mutateAsync({ name: asked.app.name, disabled: true });
          }}
        >
          {t(`apps.${asked.to}_text`)}
        </Confirm>
      )}
    </>
  );
}

function PriceCell({ app }: { app: App }) {
  const { t } = useTranslation();
  const price = app.price;
  if (price === null) return <span className="text-faint">{t("apps.price_model")}</span>;
  const sign = price.currency === "usd" ? "$" : "¥";
  const amount = (text: string | null) => (text === null ? "–" : yuan(text).replace("¥", sign));
  return (
    <span className="tabular-nums">
      {amount(price.input)} / {amount(price.output)}
      <span className="text-faint"> {price.per === "ktok" ? "/ 1K" : "/ 1M"}</span>
    </span>
  );
}

function Actions({
  app,
  onChange,
  onOn,
  onAsk,
}: {
  app: App;
  onChange: () => void;
  onOn: () => void;
  onAsk: (to: Asked["to"]) => void;
}) {
  const { t } = useTranslation();
  return (
    <Menu
      label={t("common.more")}
      button={
        <IconButton label={`${t("common.more")}: ${app.name}`}>
          <Icon name="more" />
        </IconButton>
      }
    >
      <MenuItem onSelect={onChange}>{t("apps.change")}</MenuItem>
      {app.state === "disabled" ? (
        <MenuItem onSelect={onOn}>{t("apps.turn_on")}</MenuItem>
      ) : (
        <MenuItem onSelect={() => onAsk("turn_off")}>{t("apps.turn_off")}</MenuItem>
      )}
      <MenuItem danger onSelect={() => onAsk("delete")}>
        {t("apps.delete")}
      </MenuItem>
    </Menu>
  );
}
