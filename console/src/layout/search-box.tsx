/** Search over all pages: type, choose with the arrows, open with Enter. */
import { useNavigate } from "@tanstack/react-router";
import { Dialog as RadixDialog } from "radix-ui";
import { useDeferredValue, useId, useState, type KeyboardEvent } from "react";
import { useTranslation } from "react-i18next";

import { useSearch } from "@/api/portal";
import type { SearchHit } from "@/api/types";
import { cx } from "@/lib/class-names";
import { useFocusReturn } from "@/lib/focus";
import { Icon } from "@/parts/icons";
import { ErrorNote } from "@/parts/notes";

export function SearchBox({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const list = useId();
  const giveFocusBack = useFocusReturn(true);
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const words = useDeferredValue(text);
  const search = useSearch(words);
  const hits = text.trim() ? (search.data ?? []) : [];
  const at = Math.min(chosen, Math.max(0, hits.length - 1));

  const open = (hit: SearchHit) => {
    onClose();
    void navigate({ to: hrefOf(hit) });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const hit = hits[at];
    if (event.key === "ArrowDown") setChosen(Math.min(at + 1, hits.length - 1));
    else if (event.key === "ArrowUp") setChosen(Math.max(at - 1, 0));
    else if (event.key === "Enter" && hit && !event.nativeEvent.isComposing) open(hit);
    else return;
    event.preventDefault();
  };

  return (
    <RadixDialog.Root open onOpenChange={onClose}>
      <RadixDialog.Portal>
        <RadixDialog.Overlay className="fixed inset-0 z-40 bg-[rgb(0_0_0/0.45)]" />
        <RadixDialog.Content
          onCloseAutoFocus={giveFocusBack}
          aria-describedby={undefined}
          className="fixed inset-x-3 top-[10vh] z-50 mx-auto flex max-h-[75vh] max-w-2xl flex-col rounded-lg border border-line bg-raised shadow-float"
        >
          <RadixDialog.Title className="sr-only">{t("search.title")}</RadixDialog.Title>
          <div className="flex items-center gap-2.5 border-b border-line px-4">
            <Icon name="search" className="size-4 text-faint" />
            <input
              role="combobox"
              aria-expanded={hits.length > 0}
              aria-controls={list}
              aria-activedescendant={hits.length > 0 ? `${list}-${at}` : undefined}
              aria-label={t("search.title")}
              autoFocus
              value={text}
              onChange={(event) => {
                setText(event.target.value);
                setChosen(0);
              }}
              onKeyDown={onKeyDown}
              placeholder={t("search.placeholder")}
              className="h-12 w-full bg-transparent text-[16px] outline-none"
            />
          </div>
          <div className="min-h-0 overflow-y-auto p-2">
            {search.error && <ErrorNote error={search.error} />}
            <div id={list} role="listbox" aria-label={t("search.results")}>
              {hits.map((hit, index) => (
                // eslint-disable-next-line jsx-a11y/click-events-have-key-events -- the input above takes the keys
                <div
                  key={`${hit.kind} ${hit.slug}`}
                  id={`${list}-${index}`}
                  role="option"
                  tabIndex={-1}
                  aria-selected={index === at}
                  onClick={() => open(hit)}
                  onPointerMove={() => setChosen(index)}
                  className={cx("cursor-pointer rounded-md px-3 py-2", index === at && "bg-hover")}
                >
                  <div className="flex items-center gap-2">
                    <span className="min-w-0 truncate font-medium">{hit.title}</span>
                    <span className="ml-auto min-w-0 truncate text-[12px] text-faint">{hit.where}</span>
                  </div>
                  {hit.snippet.length > 0 && (
                    <p className="mt-0.5 line-clamp-2 text-[13px] text-soft">
                      {hit.snippet.map((piece, at) =>
                        piece.hit ? (
                          <mark key={at} className="bg-transparent font-semibold text-ink">
                            {piece.text}
                          </mark>
                        ) : (
                          piece.text
                        ),
                      )}
                    </p>
                  )}
                </div>
              ))}
            </div>
            {hits.length === 0 && (
              <p role="status" className="px-3 py-6 text-center text-soft">
                {!text.trim() ? t("search.hint") : search.isPending ? t("common.loading") : t("search.none", { text })}
              </p>
            )}
          </div>
        </RadixDialog.Content>
      </RadixDialog.Portal>
    </RadixDialog.Root>
  );
}

const hrefOf = (hit: SearchHit): string => (hit.slug.startsWith("/") ? hit.slug : `/docs/${hit.slug}`);
