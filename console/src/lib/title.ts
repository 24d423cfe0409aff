/** The browser's title: the page, then the site. */
import { useEffect } from "react";

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === "TokenGate" ? title : `${title} · TokenGate`;
  }, [title]);
}
