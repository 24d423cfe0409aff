"""A provider of sign-ins for tests: real keys and tokens, and every mistake that a test asks for.

async with OidcProvider() as provider:
    provider.person = {"sub": "1", "email": "ann@a.example", "email_verified": True}
    code = provider.sign_in(url)        # what the person does in the browser at `url`
"""

import base64
import hashlib
import json
import time
from html import escape
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, parse_qsl, unquote, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.simulators.openai_upstream import Call, Reply, Upstream

CLIENT_ID = "tokengate"
SECRET = "a secret/with+signs"


class OidcProvider:
    """The server. `person` are the claims of whoever signs in next; `wrong` are claims put over the right ones."""

    def __init__(self) -> None:
        self.person: dict[str, Any] = {"sub": "1", "email": "ann@a.example", "email_verified": True, "name": "Ann"}
        self.wrong: dict[str, Any] = {}
        self.header: dict[str, Any] = {"alg": "RS256", "kid": "1"}
        self.key = RSAKey.generate_key(2048, {"kid": "1"})
        self.published = [self.key]
        self.down = False
        self.discovery: dict[str, Any] = {}
        self.secret = SECRET
        self._server = Upstream(self._answer)
        self._codes: dict[str, dict[str, str]] = {}

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def paths(self) -> list[str]:
        """What was asked for so far."""
        return [call.path for call in self._server.calls]

    def config(self, **more: object) -> str:
        """Return the table of a configuration that uses this provider."""
        lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in more.items())
        return (
            f"[[oidc]]\nname = 'company'\ntitle = 'Company'\nissuer = '{self.issuer}'\n"
            f"client_id = '{CLIENT_ID}'\nclient_secret = '{SECRET}'\n{lines}"
        )

    def sign_in(self, url: str) -> dict[str, str]:
        """Let the person sign in at the address that the browser was sent to; return the answer's parameters."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["response_type"] == "code" and asked["client_id"] == CLIENT_ID
        assert "openid" in asked["scope"].split() and asked["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def _answer(self, call: Call) -> Reply:
        if self.down:
            return Reply(status=503, body=b"")
        match call.path:
            case "/.well-known/openid-configuration":
                return _json(
                    {
                        "issuer": self.issuer,
                        "authorization_endpoint": f"{self.issuer}/authorize",
                        "token_endpoint": f"{self.issuer}/token",
                        "jwks_uri": f"{self.issuer}/jwks",
                        **self.discovery,
                    }
                )
            case "/jwks":
                return _json({"keys": [key.as_dict(private=False) for key in self.published]})
            case "/token":
                return self._redeem(call)
            case path if path.startswith("/authorize?"):
                return self._ask(path)
            case _:
                return Reply(status=404, body=b"")

    def _ask(self, path: str) -> Reply:
        """Show the person a page with one link, which signs them in."""
        back = parse_qs(urlsplit(path).query)["redirect_uri"][0]
        link = escape(f"{back}?{urlencode(self.sign_in(path))}")
        page = f"<!doctype html><link rel=icon href=data:,><a href='{link}'>Yes, it is me</a>"
        return Reply(headers={"content-type": "text/html"}, body=page.encode())

    def _redeem(self, call: Call) -> Reply:
        form = dict(parse_qsl(call.body.decode()))
        asked = self._codes.pop(form["code"], None)
        basic = base64.b64decode(call.headers.get("authorization", "").removeprefix("Basic ")).decode()
        client, _, secret = basic.partition(":")
        given = (unquote(client), unquote(secret)) if basic else (form.get("client_id"), form.get("client_secret"))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=")
        if (
            asked is None
            or given != (CLIENT_ID, self.secret)
            or form["grant_type"] != "authorization_code"
            or form["redirect_uri"] != asked["redirect_uri"]
            or challenge.decode() != asked["code_challenge"]
        ):
            return Reply(status=400, body=b'{"error": "invalid_grant"}')
        now_s = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now_s, "exp": now_s + 300, "nonce": asked["nonce"]}
        token = jwt.encode(self.header, {**claims, **self.person, **self.wrong}, self.key)
        return _json({"access_token": "unused", "token_type": "Bearer", "id_token": token})

    async def __aenter__(self) -> Self:
        await self._server.start()
        return self

    async def __aexit__(self, kind: object, error: object, trace: TracebackType | None) -> None:
        await self._server.stop()


def _json(value: object) -> Reply:
    return Reply(headers={"content-type": "application/json"}, body=json.dumps(value).encode())
