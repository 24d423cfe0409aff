"""The gateway that browsers visit: open to sign up, a local model and a simulated vendor behind it, and an operator."""

import itertools
import json
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing, contextmanager
from http.cookiejar import Cookie
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct
from playwright.async_api import StorageState

from tests.e2e.customer import wait_until_ready
from tests.e2e.gateway import GatewayProcess
from tests.engines.support import DATA
from tests.simulators.openai_upstream import ThreadedUpstream
from tokengate.engines import weights

CHAT_MODEL = "smollm2-135m-instruct"
VENDOR_MODEL = "qwen-plus"
VENDOR_MODELS = (VENDOR_MODEL, "qwen-vl-plus", "deepseek-v4-flash")
PASSWORD = "correct horse battery"

API = "/console/api"
_SLOW_S = 60.0


def configuration(upstream_url: str, more: str = "", base_url: str = "") -> str:
    """Return a configuration with a vendor that is simulated and a local model that is real; `more` are tables."""
    return f"""
        [portal]
        sign_up = "open"
        contact = "Questions? Write to [ai@example.com](mailto:ai@example.com)."
        base_url = "{base_url}"

        [[upstream]]
        name = "simulator"
        base_url = "{upstream_url}"
        models = {json.dumps(VENDOR_MODELS)}

        [engine.chat]
        threads = 1
        parallel = 2
        context = 512

        {more}
    """


class Member(Struct, frozen=True):
    """Somebody who signed up by the API, with their organisation; `state` signs a browser in."""

    email: str
    org_id: str
    wallet_id: str
    state: StorageState
    client: httpx.Client

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Call the console's API as this person and return what it answers."""
        answer = self.client.request(method, f"{API}{path}", json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def create_key(self, name: str) -> str:
        """Make an API key and return its text."""
        return self.call("POST", f"/orgs/{self.org_id}/keys", {"name": name})["secret"]


class Site:
    """The running gateway, and what its operator can do."""

    def __init__(self, gateway: GatewayProcess, token: str) -> None:
        self.gateway = gateway
        self.url = gateway.url
        self._clients = ExitStack()
        self._operator = self._client()
        self._operator.headers["authorization"] = f"Bearer {token}"
        self._numbers = itertools.count(1)

    def new_email(self) -> str:
        return f"dev{next(self._numbers)}@example.com"

    def operate(self, method: str, path: str, body: object = None) -> Any:
        """Call the console's API as the operator."""
        answer = self._operator.request(method, f"{API}{path}", json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def code(self, amount_yuan: str) -> str:
        """Make one redemption code."""
        return self.operate("POST", "/admin/code-batches", {"count": 1, "amount_yuan": amount_yuan})["codes"][0]

    def sign_up(self, name: str = "Ada Lovelace", email: str = "") -> Member:
        """Make somebody an account with an organisation and an empty wallet of their own."""
        return self._enter("/sign-up", {"name": name, "email": email or self.new_email(), "password": PASSWORD})

    def sign_in(self, email: str, password: str) -> Member:
        """Sign in somebody who has an account."""
        return self._enter("/session", {"email": email, "password": password})

    def ask(
        self, key: str, model: str, path: str = "/v1/chat/completions", content: str = "Name three colours."
    ) -> httpx.Response:
        """Call a model as an application would."""
        body = {"model": model, "max_tokens": 40, "messages": [{"role": "user", "content": content}]}
        return httpx.post(f"{self.url}{path}", json=body, headers={"authorization": f"Bearer {key}"}, timeout=_SLOW_S)

    def get(self, path: str) -> Any:
        """GET JSON as anybody."""
        return httpx.get(self.url + path, timeout=_SLOW_S).raise_for_status().json()

    def text(self, path: str) -> str:
        """GET text as anybody."""
        return httpx.get(self.url + path, timeout=_SLOW_S).raise_for_status().text

    def close(self) -> None:
        self._clients.close()

    def _client(self) -> httpx.Client:
        return self._clients.enter_context(httpx.Client(base_url=self.url, timeout=_SLOW_S))

    def _enter(self, path: str, form: Mapping[str, str]) -> Member:
        client = self._client()
        session = client.get(f"{API}/session").json()
        client.headers["x-csrf-token"] = session["csrf_token"]
        answer = client.post(f"{API}{path}", json=form)
        assert answer.is_success, answer.text
        session = answer.json()
        client.headers["x-csrf-token"] = session["csrf_token"]
        org_id = session["user"]["orgs"][0]["org_id"]
        wallets = client.get(f"{API}/orgs/{org_id}/wallets").json()["data"]
        return Member(form["email"], org_id, wallets[0]["id"], _state(client), client)


@contextmanager
def open_site(folder: Path, more: str = "", base_url: str = "") -> Generator[Site]:
    """Start a gateway with its data in this folder, and the vendor behind it."""
    weights.pull(DATA)
    (folder / "models").symlink_to(weights.weights_path(DATA).parent)
    with ThreadedUpstream() as upstream:
        gateway = GatewayProcess(folder, configuration(upstream.url, more, base_url))
        with gateway:
            wait_until_ready(gateway)
            token = gateway.command("admin-tokens", "create", "--name", "tests")["token"]
            with closing(Site(gateway, token)) as site:
                yield site


def busy_member(site: Site) -> Member:
    """Return somebody with money, keys and calls, so that every page of the console has something to show."""
    member = site.sign_up()
    member.call("POST", f"/orgs/{member.org_id}/wallets/{member.wallet_id}/redeem", {"code": site.code("20")})
    key = member.create_key("support bot, production")
    member.create_key("nightly evaluation")
    for model in (*VENDOR_MODELS, CHAT_MODEL):
        site.ask(key, model)
    site.ask(key, "no-such-model")
    return member


def _state(client: httpx.Client) -> StorageState:
    return {"cookies": [_cookie(cookie) for cookie in client.cookies.jar], "origins": []}


def _cookie(cookie: Cookie) -> Any:
    return {
        "name": cookie.name,
        "value": cookie.value or "",
        "domain": cookie.domain.removesuffix(".local") if cookie.domain else "127.0.0.1",
        "path": cookie.path,
        "expires": -1,
        "httpOnly": True,
        "secure": False,
        "sameSite": "Lax",
    }
