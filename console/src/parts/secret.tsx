/** Shows a secret once, in a dialog that says so and closes only when its reader says that it is kept. */
import { useState } from "react";
import { useTranslation } from "react-i18next";

import { Button } from "./button";
import { CopyButton } from "./copy";
import { Dialog } from "./dialog";
import { Checkbox } from "./field";
import { Note } from "./notes";

export function SecretDialog({
  title,
  name,
  secret,
  onClose,
  children,
}: {
  title: string;
  name: string;
  secret: string;
  onClose: () => void;
  children?: React.ReactNode;
}) {
  const { t } = useTranslation();
  const [kept, setKept] = useState(false);
  return (
    <Dialog open onOpenChange={onClose} title={title} sticky>
      <Note tone="warn">{t("secret.once")}</Note>
      <p className="mt-4 mb-1 font-medium">{name}</p>
      <div className="flex items-start gap-1 rounded-md border border-line-strong bg-code p-2">
        <code data-testid="secret" className="min-w-0 flex-1 font-mono text-[14px] break-all">
          {secret}
        </code>
        <CopyButton value={secret} label={t("secret.copy")} />
      </div>
      {children}
      <div className="mt-5 flex flex-wrap items-center justify-between gap-3">
        <Checkbox checked={kept} onChange={setKept} label={t("secret.kept")} />
        <Button kind="primary" disabled={!kept} onClick={onClose}>
          {t("common.done")}
        </Button>
      </div>
    </Dialog>
  );
}
