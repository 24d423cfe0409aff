"""Which backends may answer a call for a model, and in what order.

A route is an ordered list of tiers; a tier holds backends with weights. Inside a tier the choice is weighted and
random; a backend whose breaker is open is left out. Everything is built at start; `order` is constant work.
"""

import random
from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct
from msgspec.structs import replace

from tokengate.core.chat import Chat
from tokengate.core.errors import Unavailable
from tokengate.core.http import HttpRequest, Timeouts, Transport
from tokengate.core.upload import Upload
from tokengate.core.wire import Format
from tokengate.gateway.health import Breaker
from tokengate.providers.provider import Provider

_MAX_POSTS = 256  # a backend has a handful of endpoints


class Backend(Struct, eq=False):
    """One place that answers: a vendor account or an engine, with what is needed to ask it."""

    name: str
    provider: Provider
    transport: Transport
    base_url: str
    credential: str
    headers: Mapping[str, str]
    timeouts: Timeouts
    on_abort: str  # cancel | drain
    weight: int
    tier: int
    in_flight: int = 0
    # By endpoint, the last request with a body: but for that, the next with the same headers is like it.
    posts: dict[str, tuple[dict[str, str], HttpRequest]] = {}

    def request(self, endpoint: str, body: bytes | Upload, headers: Mapping[str, str]) -> HttpRequest:
        """Return the vendor's request for an endpoint path such as `/chat/completions`; `headers` are its format's,
        and the operator's own win over them."""
        if isinstance(body, Upload):
            request = self._request(endpoint, b"", headers)
            media_type = {"content-type": body.content_type}
            return replace(request, method="POST", headers={**request.headers, **media_type}, upload=body)
        if not body:
            return self._request(endpoint, body, headers)
        known = self.posts.get(endpoint)
        if known is None or known[0] != headers:
            if len(self.posts) >= _MAX_POSTS:
                self.posts.clear()
            known = self.posts[endpoint] = (dict(headers), self._request(endpoint, body, headers))
        like = known[1]
        return HttpRequest(like.method, like.url, like.headers, body, like.timeouts)

    def _request(self, endpoint: str, body: bytes, headers: Mapping[str, str]) -> HttpRequest:
        return self.provider.request(
            endpoint,
            body,
            credential=self.credential,
            base_url=self.base_url,
            headers={**headers, **self.headers} if headers else self.headers,
            timeouts=self.timeouts,
        )


class Target(Struct, frozen=True, eq=False):
    """A backend for one model: the name that the vendor knows it by, what every call of it sends along, and the
    health of the pair."""

    backend: Backend
    model: str
    breaker: Breaker
    parameters: Mapping[str, bytes] = {}  # JSON by name, over the caller's own
    formats: Mapping[str, Format] = {}  # the wire formats in which the vendor offers the model, the best one first
    fixed: Chat | None = None  # `parameters` in the vocabulary, for calls that are converted


class Route:
    """The targets of one model, by tier."""

    __slots__ = ("_single", "_tiers", "targets")

    def __init__(self, targets: list[Target]) -> None:
        self.targets = targets
        tiers: dict[int, list[Target]] = {}
        for target in targets:
            tiers.setdefault(target.backend.tier, []).append(target)
        self._tiers = [tiers[tier] for tier in sorted(tiers)]
        self._single = targets[0] if len(targets) == 1 else None

    def order(self) -> Iterable[Target]:
        """Return targets to try, best first; each is asked for permission by its breaker only when its turn comes."""
        if self._single is None:
            return self._all()
        return (self._single,) if self._single.breaker.allow() else ()

    def _all(self) -> Iterator[Target]:
        for tier in self._tiers:
            waiting = list(tier)
            while waiting:
                weights = [target.backend.weight for target in waiting]
                target = waiting.pop(_pick(weights))
                if target.breaker.allow():
                    yield target

    def unavailable(self, model: str) -> Unavailable:
        """Return the error for a route on which no breaker lets a call through."""
        wait_s = min((target.breaker.cooldown_s() for target in self.targets), default=1.0)
        return Unavailable(
            f"Every backend of '{model}' is cooling down after failures. Try again in {max(int(wait_s), 1)} s.",
            retry_after_s=max(wait_s, 1.0),
            code="backends_cooling_down",
        )


def _pick(weights: list[int]) -> int:
    total = sum(weights)
    if len(weights) == 1 or total <= 0:
        return 0
    point = random.randrange(total)
    for index, weight in enumerate(weights):
        point -= weight
        if point < 0:
            return index
    return len(weights) - 1
