"""Signing in through an OpenID Connect provider: the code flow with PKCE, up to an identity that is proven.

Sources: OpenID Connect Core 1.0 (sections 3.1.2 and 3.1.3), Discovery 1.0, RFC 7636 (PKCE), RFC 9207 (`iss` in the
answer). Nothing here knows our accounts or our own pages.
"""

import hashlib
import secrets
from base64 import b64encode, urlsafe_b64encode
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct, field

from tokengate.core.clock import Clock
from tokengate.core.errors import Forbidden, GatewayError, Unavailable
from tokengate.core.http import HttpRequest, Timeouts, Transport
from tokengate.core.settings import OidcSettings

S = TypeVar("S", bound=Struct)

_TIMEOUTS = Timeouts(connect=5, first=10, between=10, total=15)
_MAX_BODY_BYTES = 512 * 1024
_KEPT_S = 3_600  # the provider's own description of itself, and its keys
_REFETCH_S = 60  # at most this often for a key that is not known, lest a caller make us hammer the provider
_RANDOM_BYTES = 32


class Identity(Struct, frozen=True):
    """Who the provider says that somebody is. `email` is empty unless the provider has verified it."""

    subject: str
    email: str
    name: str


class Attempt(Struct, frozen=True):
    """A sign-in that has begun: `url` is where the browser goes, the rest is kept until it comes back."""

    url: str
    state: str
    nonce: str
    verifier: str


class _Discovery(Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: list[str] = field(default_factory=lambda: ["client_secret_basic"])


class _Tokens(Struct, frozen=True):
    id_token: str


class Provider:
    """One `[[oidc]]`. What it fetches it keeps for a while."""

    def __init__(self, settings: OidcSettings, secret: str, transport: Transport, clock: Clock) -> None:
        self.settings = settings
        self._secret = secret
        self._transport = transport
        self._clock = clock
        self._discovery: tuple[float, _Discovery] | None = None
        self._keys = b""
        self.keys_fetched_s = float("-inf")

    async def begin(self, redirect_uri: str) -> Attempt:
        """Return where to send the browser. Raises Unavailable when the provider does not answer."""
        discovery = await self._discover()
        state, nonce, verifier = (secrets.token_urlsafe(_RANDOM_BYTES) for _ in range(3))
        challenge = urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in discovery.authorization_endpoint else "?"
        return Attempt(f"{discovery.authorization_endpoint}{joint}{urlencode(asked)}", state, nonce, verifier)

    async def finish(self, code: str, issuer: str, *, nonce: str, verifier: str, redirect_uri: str) -> Identity:
        """Return who signed in. `issuer` is the answer's `iss`, empty when it had none.

        Raises Forbidden when anything about the answer is wrong, Unavailable when the provider does not answer.
        """
        discovery = await self._discover()
        if issuer and issuer != discovery.issuer:
            raise refused("the answer is another provider's")
        id_token = await self._redeem(discovery, code, verifier, redirect_uri)
        # Imported here: the library takes 20 MB, which a platform without single sign-on does not pay.
        from tokengate.web.id_token import UnknownKey, read_id_token

        claims = None
        try:
            claims = read_id_token(id_token, await self._jwks(discovery), now_s=int(self._clock.now_s()))
        except UnknownKey:
            fresh = await self._jwks(discovery, fresh=True)
            try:
                claims = read_id_token(id_token, fresh, now_s=int(self._clock.now_s()))
            except UnknownKey:
                raise refused("the ID token is signed with an unknown key") from None
        if claims.iss != discovery.issuer:
            raise refused("the ID token is another issuer's")
        if self.settings.client_id not in claims.audience or claims.azp not in ("", self.settings.client_id):
            raise refused("the ID token is for another client")
        if not secrets.compare_digest(claims.nonce.encode(), nonce.encode()):
            raise refused("the ID token belongs to another sign-in")
        verified = claims.email_verified in (True, "true") or self.settings.trust_email
        return Identity(claims.sub, claims.email if verified else "", claims.name or claims.preferred_username)

    async def _redeem(self, discovery: _Discovery, code: str, verifier: str, redirect_uri: str) -> str:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        client_id = self.settings.client_id
        if not self._secret:
            form["client_id"] = client_id
        elif "client_secret_basic" in discovery.token_endpoint_auth_methods_supported:
            # RFC 6749, section 2.3.1: both are form-encoded before they are joined.
            both = f"{quote(client_id, safe='')}:{quote(self._secret, safe='')}"
            headers["authorization"] = f"Basic {b64encode(both.encode()).decode()}"
        else:
            form |= {"client_id": client_id, "client_secret": self._secret}
        status, body = await self._fetch("POST", discovery.token_endpoint, headers, urlencode(form).encode())
        if status != 200:
            raise refused(f"the provider answered {status} to the code")
        return _read(body, _Tokens).id_token

    async def _discover(self) -> _Discovery:
        now_s = self._clock.monotonic_s()
        if self._discovery is None or now_s - self._discovery[0] > _KEPT_S:
            issuer = self.settings.issuer.rstrip("/")
            found = _read(await self._get(f"{issuer}/.well-known/openid-configuration"), _Discovery)
            if found.issuer.rstrip("/") != issuer:
                raise Unavailable(f"{self.settings.name} describes another issuer than it is.", code="oidc_failed")
            self._discovery = (now_s, found)
        return self._discovery[1]

    async def _jwks(self, discovery: _Discovery, *, fresh: bool = False) -> bytes:
        now_s = self._clock.monotonic_s()
        kept_s = _REFETCH_S if fresh else _KEPT_S
        if now_s - self.keys_fetched_s > kept_s:
            self._keys = await self._get(discovery.jwks_uri)
            self.keys_fetched_s = now_s
        return self._keys

    async def _get(self, url: str) -> bytes:
        status, body = await self._fetch("GET", url, {"accept": "application/json"}, b"")
        if status != 200:
            raise Unavailable(f"{self.settings.name} answered {status}; try again later.", code="oidc_failed")
        return body

    async def _fetch(self, method: str, url: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        try:
            exchange = await self._transport.send(HttpRequest(method, url, headers, body, _TIMEOUTS))
            try:
                return exchange.status, await exchange.read(_MAX_BODY_BYTES)
            finally:
                exchange.close()
        except GatewayError as error:
            raise Unavailable(f"{self.settings.name} does not answer; try again later.", code="oidc_failed") from error


def refused(reason: str) -> Forbidden:
    """Return the refusal of a sign-in that cannot be trusted."""
    return Forbidden(f"Signing in failed: {reason}.", code="oidc_failed")


def _read(body: bytes, kind: type[S]) -> S:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise Unavailable("The provider of sign-ins does not answer as it should.", code="oidc_failed") from error
