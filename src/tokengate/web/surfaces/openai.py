"""OpenAI's API, with rerank beside it, under each of its base paths.

A chat in DashScope's own format is answered there too, in that format, as the product page shows.
"""

from collections.abc import Awaitable, Callable

from msgspec.structs import astuple

from tokengate.accounts.keys import Principal
from tokengate.formats.openai.image_forms import json_of_form
from tokengate.formats.openai.requests import OtherFormat
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
from tokengate.web.admit import Admit, options
from tokengate.web.dispatch import Endpoint, Handler
from tokengate.web.request import Request
from tokengate.web.surfaces.bases import BASES, Base
from tokengate.web.surfaces.pictures import PictureCalls
from tokengate.web.surfaces.quote import QuotableForm

_OPERATIONS = (
    (table.CHAT_COMPLETIONS, CHAT_COMPLETIONS),
    (table.COMPLETIONS, COMPLETIONS),
    (table.EMBEDDINGS, EMBEDDINGS),
    (table.RERANK, RERANK),
    (table.MODERATIONS, MODERATIONS),
    (table.SPEECH, SPEECH),
)
_COHERE = Base("/v2")
# Operations whose bodies are forms, or JSON; and whether a form may have several pictures.
_FORMS = (
    (table.IMAGE_EDITS, IMAGE_EDITS, True),
    (table.IMAGE_VARIATIONS, IMAGE_VARIATIONS, False),
)


# Answers a chat's body of another format.
Native = Callable[[Request, Principal, bytes], Awaitable[None]]


class OpenAISurface:
    """Hands calls to the pipeline, those for pictures to `pictures`, and chats in DashScope's own format to
    `native`."""

    def __init__(self, gateway: Gateway, pictures: PictureCalls, admit: Admit, native: Native) -> None:
        self._gateway = gateway
        self._pictures = pictures
        self._admit = admit
        self._native = native

    def endpoints(self) -> list[Endpoint]:
        """Return every route, under every base path."""
        return (
            [
                Endpoint(published, self._call(operation, base), base.path, base.bad_key)
                for base in BASES
                for published, operation in _OPERATIONS
            ]
            + [Endpoint(table.IMAGE_GENERATIONS, self._draw(base), base.path, base.bad_key) for base in BASES]
            + [
                Endpoint(published, self._form(operation, base, several=several), base.path, base.bad_key)
                for base in BASES
                for published, operation, several in _FORMS
            ]
            + [Endpoint(table.RERANK, self._call(RERANK, _COHERE), _COHERE.path)]
        )

    def _call(self, operation: Operation, base: Base) -> Handler:
        admit, answer, native = self._admit, self._gateway.answer, self._native

        async def handler(request: Request) -> None:
            principal = admit.principal(request)
            asked = options(request, usage_always=base.usage_always)
            body = await admit.json_body(request)
            try:
                await answer(request.id, principal, operation, body, request, asked)
            except OtherFormat:
                await native(request, principal, body)

        return handler

    def _draw(self, base: Base) -> Handler:
        admit, answer = self._admit, self._pictures.answer

        async def handler(request: Request) -> None:
            principal = admit.principal(request)
            asked = options(request, usage_always=base.usage_always)
            await answer(request, principal, IMAGE_GENERATIONS, await admit.json_body(request), asked)

        return handler

    def quotable_forms(self) -> list[QuotableForm]:
        """Return how the forms of pictures are quoted."""

        def of(operation: Operation, *, several: bool) -> QuotableForm:
            async def found(request: Request, principal: Principal) -> Estimate:
                return await estimate(self._gateway, principal, operation, await self._body(request, several=several))

            return QuotableForm(operation.path, found)

        return [of(operation, several=several) for _, operation, several in _FORMS]

    async def _body(self, request: Request, *, several: bool) -> bytes:
        """Return the JSON body of a request that is a form, or JSON."""
        parts = await self._admit.form(request)
        if parts is None:
            return await self._admit.json_body(request)
        return json_of_form(map(astuple, parts), several=several)

    def _form(self, operation: Operation, base: Base, *, several: bool) -> Handler:
        admit, answer = self._admit, self._pictures.answer

        async def handler(request: Request) -> None:
            principal = admit.principal(request)
            asked = options(request, usage_always=base.usage_always)
            body = await self._body(request, several=several)
            await answer(request, principal, operation, body, asked)

        return handler
