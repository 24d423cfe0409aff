"""The main pages of the map: where they are, and as whom they are looked at."""

from typing import Literal, NamedTuple

from playwright.async_api import StorageState

from tests.browser.site import CHAT_MODEL, Member

Who = Literal["visitor", "member", "operator"]


class MainPage(NamedTuple):
    """An address, with `{call}` for the id of one of the member's calls."""

    path: str
    who: Who = "visitor"


PORTAL = [
    MainPage("/"),
    MainPage("/models"),
    MainPage("/models?view=cards"),
    MainPage(f"/models/{CHAT_MODEL}"),
    MainPage("/prices"),
    MainPage("/docs"),
    MainPage("/docs/guide/using-the-api"),
    MainPage("/docs/help/parameters"),
    MainPage(f"/docs/chat.completions/{CHAT_MODEL}"),
    MainPage("/docs/api/suno.create"),
    MainPage("/status-codes"),
    MainPage("/downloads"),
    MainPage("/sign-in"),
    MainPage("/sign-up"),
    MainPage("/get-apikey"),
    MainPage("/apikey-recharge"),
]
CONSOLE = [
    MainPage(path, "member")
    for path in (
        "/get-apikey",
        "/apikey-recharge",
        "/console/keys",
        "/console/calls",
        "/console/calls/{call}",
        "/console/usage",
        "/console/usage?by=model",
        "/console/wallet",
        "/console/members",
        "/console/projects",
        "/console/audit",
        "/console/settings",
        "/console/account",
    )
]
ADMIN = [
    MainPage(f"/admin/{name}", "operator")
    for name in ("codes", "apps", "upstreams", "wallets", "users", "settings", "tokens", "audit")
]
MAIN_PAGES = [*PORTAL, *CONSOLE, *ADMIN]

# One of each kind, for what takes too long to do with all.
TYPICAL = [
    MainPage("/"),
    MainPage("/models"),
    MainPage(f"/docs/chat.completions/{CHAT_MODEL}"),
    MainPage("/console/keys", "member"),
    MainPage("/console/calls/{call}", "member"),
    MainPage("/admin/codes", "operator"),
]


class People(NamedTuple):
    """Who looks at pages, and a call of the member's."""

    member: Member
    operator: Member
    call_id: str

    def state_of(self, who: Who) -> StorageState | None:
        """Return what signs a browser in as them."""
        match who:
            case "visitor":
                return None
            case "member":
                return self.member.state
            case "operator":
                return self.operator.state

    def path_of(self, page: MainPage) -> str:
        return page.path.replace("{call}", self.call_id)
