/** A filter with several choices and how many each finds: a button that opens a list of check boxes. */
import { Popover } from "radix-ui";
import { useTranslation } from "react-i18next";

import { cx } from "@/lib/class-names";

import { Checkbox } from "./field";
import { Icon } from "./icons";

export interface Choice {
  value: string;
  title: string;
  count?: number;
}

export function FilterChip({
  label,
  choices,
  chosen,
  onChange,
}: {
  label: string;
  choices: readonly Choice[];
  chosen: readonly string[];
  onChange: (chosen: string[]) => void;
}) {
  const { t } = useTranslation();
  const titles = chosen.map((value) => choices.find((choice) => choice.value === value)?.title ?? value);
  return (
    <Popover.Root>
      <Popover.Trigger
        className={cx(
          "inline-flex h-9 max-w-60 items-center gap-1.5 rounded-md border px-3 hover:bg-hover",
          chosen.length > 0 ? "border-accent bg-accent-soft text-accent" : "border-line-strong",
        )}
      >
        <span className="truncate">{titles.length > 0 ? `${label}: ${titles.join(", ")}` : label}</span>
        <Icon name="down" className="size-3" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="start"
          sideOffset={6}
          aria-label={label}
          className="z-50 max-h-80 w-64 overflow-y-auto rounded-md border border-line bg-raised p-3 shadow-float"
        >
          <ul className="flex flex-col gap-2">
            {choices.map((choice) => (
              <li key={choice.value}>
                <Checkbox
                  checked={chosen.includes(choice.value)}
                  onChange={(on) =>
                    onChange(on ? [...chosen, choice.value] : chosen.filter((one) => one !== choice.value))
                  }
                  label={
                    <>
                      {choice.title} {choice.count !== undefined && <span className="text-faint">{choice.count}</span>}
                    </>
                  }
                />
              </li>
            ))}
          </ul>
          {chosen.length > 0 && (
            <button
              type="button"
              onClick={() => onChange([])}
              className="mt-3 text-[13px] text-accent underline underline-offset-3"
            >
              {t("table.clear")}
            </button>
          )}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
