/** Form fields: a label, the control, a hint, and what is wrong with it. */
import { Checkbox as RadixCheckbox, Switch as RadixSwitch } from "radix-ui";
import {
  useId,
  type InputHTMLAttributes,
  type ReactNode,
  type Ref,
  type SelectHTMLAttributes,
  type TextareaHTMLAttributes,
} from "react";
import { useTranslation } from "react-i18next";

import { cx } from "@/lib/class-names";

import { Icon } from "./icons";

const CONTROL =
  "w-full rounded-md border border-line-strong bg-canvas px-3 text-[14px] text-ink disabled:bg-sunken disabled:text-faint aria-invalid:border-bad";

interface Described {
  label: string;
  hint?: ReactNode;
  problem?: string | null | undefined;
  /** The label is for screen readers only, where the place says it. */
  bare?: boolean;
}

function Described({
  label,
  hint,
  problem,
  bare = false,
  id,
  children,
}: Described & { id: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <label htmlFor={id} className={bare ? "sr-only" : "mb-1.5 block font-medium"}>
        {label}
      </label>
      {children}
      {hint && !problem && (
        <p id={`${id}-hint`} className="mt-1.5 text-[13px] text-faint">
          {hint}
        </p>
      )}
      {problem && (
        <p id={`${id}-problem`} role="alert" className="mt-1.5 text-[13px] text-bad">
          {problem}
        </p>
      )}
    </div>
  );
}

const describedBy = (id: string, { hint, problem }: Described): string | undefined =>
  problem ? `${id}-problem` : hint ? `${id}-hint` : undefined;

type InputProps = Described & InputHTMLAttributes<HTMLInputElement> & { ref?: Ref<HTMLInputElement> };

export function Input({ label, hint, problem, bare, className, ...rest }: InputProps) {
  const own = useId();
  const id = rest.id ?? own;
  return (
    <Described id={id} label={label} hint={hint} problem={problem} {...(bare ? { bare } : {})}>
      <input
        {...rest}
        id={id}
        aria-invalid={problem ? true : undefined}
        aria-describedby={describedBy(id, { label, hint, problem })}
        className={cx(CONTROL, "h-9", className)}
      />
    </Described>
  );
}

/** Two days, both included; either may be open. Each says in sight which it is. */
export function DateRange({
  from,
  to,
  today,
  onChange,
}: {
  from: string;
  to: string;
  today: string;
  onChange: (change: { from?: string; to?: string }) => void;
}) {
  const { t } = useTranslation();
  const id = useId();
  const day = (name: "from" | "to", value: string, bounds: { min?: string; max?: string }) => (
    <span className="flex items-center gap-1.5">
      <label htmlFor={`${id}-${name}`} className="text-[13px] whitespace-nowrap text-soft">
        {t(`calls.${name}`)}
      </label>
      <input
        id={`${id}-${name}`}
        type="date"
        value={value}
        {...bounds}
        onChange={(event) => onChange({ [name]: event.target.value })}
        className={cx(CONTROL, "h-9 w-36 tabular-nums", value === "" && "text-faint")}
      />
    </span>
  );
  return (
    <span className="flex flex-wrap items-center gap-x-3 gap-y-2">
      {day("from", from, { max: to || today })}
      {day("to", to, from ? { min: from, max: today } : { max: today })}
    </span>
  );
}

export function Textarea({
  label,
  hint,
  problem,
  bare,
  className,
  ...rest
}: Described & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  const own = useId();
  const id = rest.id ?? own;
  return (
    <Described id={id} label={label} hint={hint} problem={problem} {...(bare ? { bare } : {})}>
      <textarea
        {...rest}
        id={id}
        aria-invalid={problem ? true : undefined}
        aria-describedby={describedBy(id, { label, hint, problem })}
        className={cx(CONTROL, "py-2", className)}
      />
    </Described>
  );
}

/** One file or several of this computer; the page's words, where the browser's own would be in its language. */
export function FileInput({
  label,
  hint,
  problem,
  bare,
  accept,
  multiple = false,
  files,
  onChange,
}: Described & { accept: string; multiple?: boolean; files: readonly File[]; onChange: (files: File[]) => void }) {
  const { t } = useTranslation();
  const id = useId();
  return (
    <Described id={id} label={label} hint={hint} problem={problem} {...(bare ? { bare } : {})}>
      <div
        className={cx(
          CONTROL,
          "relative flex h-9 items-center gap-2 pl-1 focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-accent",
        )}
      >
        <span aria-hidden className="shrink-0 rounded-sm bg-hover px-2 py-0.5 text-[13px]">
          {t("common.choose_file")}
        </span>
        <span aria-hidden className={cx("truncate text-[13px]", files.length === 0 && "text-faint")}>
          {files.map((file) => file.name).join(", ") || t("common.no_file")}
        </span>
        <input
          id={id}
          type="file"
          accept={accept}
          multiple={multiple}
          aria-describedby={describedBy(id, { label, hint, problem })}
          onChange={(event) => onChange([...(event.target.files ?? [])])}
          className="absolute inset-0 w-full cursor-pointer opacity-0"
        />
      </div>
    </Described>
  );
}

export interface Option {
  value: string;
  label: string;
}

/** The browser's own list: it works with every keyboard, screen reader and phone. */
export function Select({
  label,
  hint,
  problem,
  bare,
  options,
  className,
  ...rest
}: Described & { options: readonly Option[] } & SelectHTMLAttributes<HTMLSelectElement>) {
  const own = useId();
  const id = rest.id ?? own;
  return (
    <Described id={id} label={label} hint={hint} problem={problem} {...(bare ? { bare } : {})}>
      <div className="relative">
        <select
          {...rest}
          id={id}
          aria-invalid={problem ? true : undefined}
          aria-describedby={describedBy(id, { label, hint, problem })}
          className={cx(CONTROL, "h-9 appearance-none pr-8", className)}
        >
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.label}
            </option>
          ))}
        </select>
        <span className="pointer-events-none absolute inset-y-0 right-2.5 flex items-center text-faint">
          <Icon name="down" className="size-3" />
        </span>
      </div>
    </Described>
  );
}

export function Checkbox({
  label,
  checked,
  onChange,
}: {
  label: ReactNode;
  checked: boolean;
  onChange: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <div className="flex items-center gap-2">
      <RadixCheckbox.Root
        id={id}
        checked={checked}
        onCheckedChange={(value) => onChange(value === true)}
        className="flex size-4.5 shrink-0 items-center justify-center rounded-sm border border-line-strong bg-canvas text-on-accent data-[state=checked]:border-accent data-[state=checked]:bg-accent"
      >
        <RadixCheckbox.Indicator>
          <Icon name="check" className="size-3" />
        </RadixCheckbox.Indicator>
      </RadixCheckbox.Root>
      <label htmlFor={id} className="min-w-0">
        {label}
      </label>
    </div>
  );
}

export function Switch({
  label,
  hint,
  checked,
  disabled = false,
  onChange,
}: {
  label: string;
  hint?: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}) {
  const id = useId();
  return (
    <div className="flex items-start justify-between gap-4">
      <div>
        <label htmlFor={id} className="font-medium">
          {label}
        </label>
        {hint && <p className="text-[13px] text-faint">{hint}</p>}
      </div>
      <RadixSwitch.Root
        id={id}
        checked={checked}
        disabled={disabled}
        onCheckedChange={onChange}
        className="relative mt-0.5 h-5 w-9 shrink-0 rounded-full bg-line-strong transition-colors disabled:opacity-50 data-[state=checked]:bg-accent"
      >
        <RadixSwitch.Thumb className="block size-4 translate-x-0.5 rounded-full bg-canvas transition-transform data-[state=checked]:translate-x-4.5" />
      </RadixSwitch.Root>
    </div>
  );
}
