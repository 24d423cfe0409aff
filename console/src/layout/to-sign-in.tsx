/** Sends whoever must sign in first to do so, once, and back to the page that they wanted. */
import { useNavigate, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";

export function ToSignIn() {
  const navigate = useNavigate();
  const router = useRouter();
  useEffect(() => {
    const { pathname, href } = router.latestLocation;
    // While the next page loads this one is still there; going twice would make the way back a way back to here.
    if (pathname !== "/sign-in") void navigate({ to: "/sign-in", search: { next: href }, replace: true });
  }, [navigate, router]);
  return null;
}
