"""An org that pays: members by role, a wallet, a key, and calls made with it."""

from typing import Any

from tests.hosted import sells
from tests.web.console_site import Caller, Site
from tokengate.accounts.roles import Role
from tokengate.accounts.store import DEFAULT_ORG

SOLD = (
    '[[model]]\nid = "a"\nmax_output = 1000\nprice = { input = "0.0025", output = "0.00875" }\n'
    '[outbound]\nprivate_hosts = ["127.0.0.1"]\n'
) + "".join(map(sells, ("b", "hang", "error-400")))
MESSAGES = [{"role": "user", "content": "Hi"}]


class Paying:
    """The site, seen from the org of the key `main`, which has ten yuan."""

    org = f"/orgs/{DEFAULT_ORG}"

    def __init__(self, site: Site) -> None:
        self.site = site
        self.key = site.gateway.keys["main"]
        self.wallet = f"{self.org}/wallets/{self.key.wallet_id}"

    async def member(self, role: Role) -> Caller:
        return await self.site.signed_in(f"{role}@paying.example", roles={DEFAULT_ORG: role})

    async def operator(self) -> Caller:
        return await self.site.signed_in("operator@platform.example", operator=True)

    async def call(self, model: str = "a", **headers: str) -> str:
        """Make a call and return its id once its record is there."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = await self.site.gateway.post({"model": model, "messages": MESSAGES}, headers=named)
        return answer.headers["x-request-id"]

    async def codes(self, operator: Caller, **form: Any) -> Any:
        """Make a batch, of two codes for fifty yuan unless the form says otherwise."""
        return await operator.post("/admin/code-batches", {"count": 2, "amount_yuan": "50", **form})
