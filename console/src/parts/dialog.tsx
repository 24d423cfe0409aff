/** Dialogs and drawers: focus is kept inside, Escape closes, the page behind does not scroll. */
import { AlertDialog as RadixAlert, Dialog as RadixDialog } from "radix-ui";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";

import { cx } from "@/lib/class-names";
import { useFocusReturn } from "@/lib/focus";

import { Button } from "./button";
import { ErrorNote } from "./notes";
import { Icon } from "./icons";

const OVERLAY = "fixed inset-0 z-40 bg-[rgb(0_0_0/0.45)]";

interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  wide?: boolean;
  /** Closes by its own button only: what it shows will not be shown again. */
  sticky?: boolean;
  children: ReactNode;
}

export function Dialog({ open, onOpenChange, title, description, wide, sticky = false, children }: DialogProps) {
  const { t } = useTranslation();
  const giveFocusBack = useFocusReturn(open);
  const hold = (event: Event) => {
    if (sticky) event.preventDefault();
  };
  return (
    <RadixDialog.Root open={open} onOpenChange={onOpenChange}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className={OVERLAY} />
        <RadixDialog.Content
          onCloseAutoFocus={giveFocusBack}
          onInteractOutside={hold}
          onEscapeKeyDown={hold}
          {...(description ? {} : { "aria-describedby": undefined })}
          className={cx(
            "fixed inset-x-3 top-[6vh] z-50 mx-auto max-h-[88vh] overflow-y-auto rounded-lg border border-line bg-raised p-5 shadow-float sm:p-6",
            wide ? "max-w-3xl" : "max-w-lg",
          )}
        >
          <div className="mb-4 flex items-start justify-between gap-4">
            <div>
              <RadixDialog.Title className="text-[17px] font-semibold">{title}</RadixDialog.Title>
              {description && (
                <RadixDialog.Description className="mt-1 text-soft">{description}</RadixDialog.Description>
              )}
            </div>
            {!sticky && (
              <RadixDialog.Close
                aria-label={t("common.close")}
                className="-mt-1 -mr-1 inline-flex size-8 items-center justify-center rounded-md text-soft hover:bg-hover"
              >
                <Icon name="close" />
              </RadixDialog.Close>
            )}
          </div>
          {children}
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}

/** A panel from the left edge, for navigation on narrow screens. */
export function Drawer({
  open,
  onOpenChange,
  title,
  children,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const giveFocusBack = useFocusReturn(open);
  return (
    <RadixDialog.Root open={open} onOpenChange={onOpenChange}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className={OVERLAY} />
        <RadixDialog.Content
          onCloseAutoFocus={giveFocusBack}
          aria-describedby={undefined}
          className="fixed inset-y-0 left-0 z-50 flex w-[min(21rem,88vw)] flex-col border-r border-line bg-canvas shadow-float"
        >
          <div className="flex items-center justify-between border-b border-line px-4 py-3">
            <RadixDialog.Title className="font-semibold">{title}</RadixDialog.Title>
            <RadixDialog.Close
              aria-label={t("common.close")}
              className="inline-flex size-8 items-center justify-center rounded-md text-soft hover:bg-hover"
            >
              <Icon name="close" />
            </RadixDialog.Close>
          </div>
          <div className="min-h-0 flex-1 overflow-y-auto p-3">{children}</div>
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}

/** Asks before what cannot be undone. `onConfirm` may fail; the dialog then stays and says why. */
export function Confirm({
  open,
  onOpenChange,
  title,
  children,
  action,
  danger = true,
  onConfirm,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  children: ReactNode;
  action: string;
  /** Takes something away; otherwise its button is the primary one. */
  danger?: boolean;
  onConfirm: () => Promise<unknown>;
}) {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);
  const giveFocusBack = useFocusReturn(open);
  const confirm = async () => {
    setBusy(true);
    setProblem(null);
    try {
      await onConfirm();
      onOpenChange(false);
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <RadixAlert.Root
      open={open}
      onOpenChange={(next) => {
        setProblem(null);
        onOpenChange(next);
      }}
    >
      <RadixAlert.Portal>
        <RadixAlert.Overlay className={OVERLAY} />
        <RadixAlert.Content
          onCloseAutoFocus={giveFocusBack}
          className="fixed inset-x-3 top-[12vh] z-50 mx-auto max-w-md rounded-lg border border-line bg-raised p-5 shadow-float"
        >
          <RadixAlert.Title className="text-[16px] font-semibold">{title}</RadixAlert.Title>
          <RadixAlert.Description asChild>
            <div className="mt-2 text-soft">{children}</div>
          </RadixAlert.Description>
          {problem !== null && (
            <div className="mt-3">
              <ErrorNote error={problem} />
            </div>
          )}
          <div className="mt-5 flex justify-end gap-2">
            <RadixAlert.Cancel asChild>
              <Button>{t("common.cancel")}</Button>
            </RadixAlert.Cancel>
            <Button kind={danger ? "danger" : "primary"} busy={busy} onClick={() => void confirm()}>
              {action}
            </Button>
          </div>
        </RadixAlert.Content>
      </RadixAlert.Portal>
    </RadixAlert.Root>
  );
}
