"""OpenAI's API: chat completions, completions and embeddings, under each of its base paths."""

from tokengate.gateway.openai import CHAT_COMPLETIONS, COMPLETIONS, EMBEDDINGS
from tokengate.gateway.operation import Operation
from tokengate.gateway.pipeline import Gateway
from tokengate.reference import table
from tokengate.web.admit import Admit, options
from tokengate.web.dispatch import Endpoint, Handler
from tokengate.web.request import Request
from tokengate.web.surfaces.bases import BASES, Base

_OPERATIONS = (
    (table.CHAT_COMPLETIONS, CHAT_COMPLETIONS),
    (table.COMPLETIONS, COMPLETIONS),
    (table.EMBEDDINGS, EMBEDDINGS),
)


class OpenAISurface:
    """Hands calls to the pipeline."""

    def __init__(self, gateway: Gateway, admit: Admit) -> None:
        self._gateway = gateway
        self._admit = admit

    def endpoints(self) -> list[Endpoint]:
        """Return every route, under every base path."""
        return [
            Endpoint(published, self._call(operation, base), base.path, base.bad_key)
            for base in BASES
            for published, operation in _OPERATIONS
        ]

    def _call(self, operation: Operation, base: Base) -> Handler:
        admit, answer = self._admit, self._gateway.answer

        async def handler(request: Request) -> None:
            principal = admit.principal(request)
            asked = options(request, usage_always=base.usage_always)
            body = await admit.json_body(request)
            await answer(request.id, principal, operation, body, request, asked)

        return handler
