"""`POST /v1/quote`: what a request would come to, in tokens and yuan. Nothing is run, held or counted."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Set
from urllib.parse import parse_qs

import msgspec
from msgspec import Raw, Struct

from tokengate.accounts.keys import Principal
from tokengate.core.errors import BadRequest
from tokengate.core.money import write_yuan
from tokengate.gateway.estimate import Estimate, estimate
from tokengate.gateway.openai import (
    CHAT_COMPLETIONS,
    COMPLETIONS,
    EMBEDDINGS,
    IMAGE_EDITS,
    IMAGE_GENERATIONS,
    IMAGE_VARIATIONS,
    MODERATIONS,
    RERANK,
    SPEECH,
)
from tokengate.gateway.operation import Operation
from tokengate.gateway.pipeline import Gateway
from tokengate.reference import table
from tokengate.web.admit import Admit
from tokengate.web.dispatch import Endpoint
from tokengate.web.forms import is_form
from tokengate.web.request import Request


class Quotable(Struct, frozen=True):
    """An operation that can be quoted: by the end of the path that its bodies are posted to, or by their members,
    which also tell apart several at one path."""

    ends: str
    fits: Callable[[Set[str]], bool]
    operation: Callable[[str], Operation]  # by the path, which may name the model
    prepare: Callable[[Principal, bytes], Awaitable[Operation]] | None = None  # of one request, with what precedes it


class QuotableForm(Struct, frozen=True):
    """An operation whose bodies are forms, and what one of them comes to; it is told by the end of its path."""

    ends: str
    estimate: Callable[[Request, Principal], Awaitable[Estimate]]
    or_json: bool = False  # such bodies are JSON, too, and `estimate` reads them


OPENAI_QUOTABLE = (
    Quotable("/chat/completions", lambda names: "messages" in names, lambda path: CHAT_COMPLETIONS),
    Quotable("/completions", lambda names: "prompt" in names, lambda path: COMPLETIONS),
    Quotable("/embeddings", lambda names: "input" in names, lambda path: EMBEDDINGS),
    Quotable("/moderations", lambda names: names == {"input"}, lambda path: MODERATIONS),
    Quotable("/images/generations", lambda names: False, lambda path: IMAGE_GENERATIONS),
    Quotable("/images/edits", lambda names: False, lambda path: IMAGE_EDITS),
    Quotable("/images/variations", lambda names: False, lambda path: IMAGE_VARIATIONS),
    Quotable("/rerank", lambda names: {"query", "documents"} <= names, lambda path: RERANK),
    Quotable("/audio/speech", lambda names: {"input", "voice"} <= names, lambda path: SPEECH),
)


class QuoteSurface:
    """Reads a body as its own endpoint would. Of several that fit, the first that serves its model counts."""

    def __init__(
        self, gateway: Gateway, admit: Admit, quotable: Iterable[Quotable], forms: Iterable[QuotableForm]
    ) -> None:
        self._gateway = gateway
        self._admit = admit
        self._quotable = tuple(quotable)
        self._forms = tuple(forms)

    def endpoints(self) -> list[Endpoint]:
        """Return the one route."""
        return [Endpoint(table.QUOTE, self._quote)]

    async def _quote(self, request: Request) -> None:
        principal = self._admit.principal(request)
        path = parse_qs(request.query).get("path", [""])[-1].partition("?")[0]
        form = self._form_at(path, is_form=is_form(request.headers.get("content-type", "")))
        if form is not None:
            found, format = await form.estimate(request, principal), "openai"
        else:
            body = await self._admit.json_body(request)
            chosen = self._chosen(path, body)
            operation = chosen.operation(path) if chosen.prepare is None else await chosen.prepare(principal, body)
            found, format = await estimate(self._gateway, principal, operation, body), operation.speaks
        request.json(
            {
                "object": "quote",
                "model": found.model,
                "format": format,
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

    def _form_at(self, path: str, *, is_form: bool) -> QuotableForm | None:
        """Return who reads what is posted to a path when it is a form; None for JSON that needs no reader of its own.
        Raises BadRequest."""
        found = next((one for one in self._forms if path.endswith(one.ends)), None)
        if found is None and is_form:
            ends = ", ".join(one.ends for one in self._forms)
            raise BadRequest(f"A form is quoted when 'path' says where it would be posted: {ends}.", param="path")
        return found if found is not None and (is_form or found.or_json) else None

    def _chosen(self, path: str, body: bytes) -> Quotable:
        at_path = [one for one in self._quotable if path.endswith(one.ends)]
        if path and not at_path:
            raise BadRequest(f"Nothing at '{path[:200]}' can be quoted.", param="path")
        try:
            members = _decode(body)
        except (ValueError, RecursionError) as error:
            raise BadRequest(f"The request body cannot be read: {error}.") from None
        fitting = [one for one in at_path or self._quotable if one.fits(members.keys())]
        if not fitting and not at_path:
            raise BadRequest("No format has a body with these members; say where it would be posted.", param="path")
        kind = self._kind_of_model(members)
        found = fitting or at_path  # without a fitting one, the path's own reader says what is wrong with it
        return next((one for one in found if kind in one.operation(path).kinds), found[0])

    def _kind_of_model(self, members: Mapping[str, Raw]) -> str:
        """Return the kind of the model that a body names; empty when it names none."""
        try:
            model = self._gateway.catalog.resolve(_decode_text(members.get("model", b"")))
        except ValueError:
            return ""
        return model.kind if model is not None else ""


_decode = msgspec.json.Decoder(dict[str, Raw]).decode
_decode_text = msgspec.json.Decoder(str).decode
