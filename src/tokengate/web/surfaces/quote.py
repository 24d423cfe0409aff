"""`POST /v1/quote`: what a request would come to, in tokens and yuan. Nothing is run, held or counted."""

from collections.abc import Callable, Iterable, Set
from urllib.parse import parse_qs

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import BadRequest
from tokengate.core.money import write_yuan
from tokengate.gateway.estimate import estimate
from tokengate.gateway.openai import CHAT_COMPLETIONS, COMPLETIONS, EMBEDDINGS
from tokengate.gateway.operation import Operation
from tokengate.gateway.pipeline import Gateway
from tokengate.reference import table
from tokengate.web.admit import Admit
from tokengate.web.dispatch import Endpoint
from tokengate.web.request import Request


class Quotable(Struct, frozen=True):
    """An operation that can be quoted: by the end of the path that its bodies are posted to, or by their members."""

    ends: str
    fits: Callable[[Set[str]], bool]
    operation: Callable[[str], Operation]  # by the path, which may name the model


OPENAI_QUOTABLE = (
    Quotable("/chat/completions", lambda names: "messages" in names, lambda path: CHAT_COMPLETIONS),
    Quotable("/completions", lambda names: "prompt" in names, lambda path: COMPLETIONS),
    Quotable("/embeddings", lambda names: "input" in names, lambda path: EMBEDDINGS),
)


class QuoteSurface:
    """Reads a body as its own endpoint would. Of several operations that fit, the first counts."""

    def __init__(self, gateway: Gateway, admit: Admit, quotable: Iterable[Quotable]) -> None:
        self._gateway = gateway
        self._admit = admit
        self._quotable = tuple(quotable)

    def endpoints(self) -> list[Endpoint]:
        """Return the one route."""
        return [Endpoint(table.QUOTE, self._quote)]

    async def _quote(self, request: Request) -> None:
        principal = self._admit.principal(request)
        path = parse_qs(request.query).get("path", [""])[-1].partition("?")[0]
        body = await self._admit.json_body(request)
        operation = self._operation(path, body)
        found = await estimate(self._gateway, principal, operation, body)
        request.json(
            {
                "object": "quote",
                "model": found.model,
                "format": operation.speaks,
                "input_tokens": {"expected": found.input_expected, "at_most": found.input_most},
                "output_tokens": {"at_most": found.output_most},
                "yuan": {
                    "at_least": write_yuan(found.least_nano),
                    "at_most": write_yuan(found.most_nano),
                    "held": write_yuan(found.held_nano),
                },
                "price_version": found.price_version,
            }
        )

    def _operation(self, path: str, body: bytes) -> Operation:
        if path:
            for one in self._quotable:
                if path.endswith(one.ends):
                    return one.operation(path)
            raise BadRequest(f"Nothing at '{path[:200]}' can be quoted.", param="path")
        try:
            names = _decode(body).keys()
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"The request body cannot be read: {error}.") from None
        for one in self._quotable:
            if one.fits(names):
                return one.operation(path)
        raise BadRequest("No format has a body with these members; say where it would be posted.", param="path")


_decode = msgspec.json.Decoder(dict[str, Raw]).decode
