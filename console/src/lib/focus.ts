/** Gives the focus back, when a dialog closes, to what had it before: dialogs here are opened by state, not by triggers. */
import { useState } from "react";

export function useFocusReturn(open: boolean) {
  const [before, setBefore] = useState<Element | null>(null);
  const [wasOpen, setWasOpen] = useState(false);
  // While drawing: once the dialog is there, a field of its own may have taken the focus already.
  if (open !== wasOpen) {
    setWasOpen(open);
    if (open) setBefore(document.activeElement);
  }
  return (event: Event) => {
    event.preventDefault();
    if (before instanceof HTMLElement) before.focus();
  };
}
