"""DashScope's own API for what is no chat: embeddings of texts and of media, and rerank."""

from tokengate.formats.dashscope.format import DASHSCOPE
from tokengate.gateway.dashscope import MULTIMODAL_EMBEDDING, TEXT_EMBEDDING, TEXT_RERANK
from tokengate.gateway.operation import Operation
from tokengate.gateway.pipeline import Gateway
from tokengate.reference import table
from tokengate.web.admit import Admit
from tokengate.web.dispatch import Endpoint, Handler
from tokengate.web.request import Request
from tokengate.web.surfaces.dashscope import options_of
from tokengate.web.surfaces.quote import Quotable

_SERVICES = (
    (table.DASHSCOPE_TEXT_EMBEDDING, TEXT_EMBEDDING),
    (table.DASHSCOPE_MULTIMODAL_EMBEDDING, MULTIMODAL_EMBEDDING),
    (table.DASHSCOPE_RERANK, TEXT_RERANK),
)
# Their bodies have the members of a chat's, so only the path tells them apart.
DASHSCOPE_SERVICES_QUOTABLE = (
    Quotable("/text-embedding/text-embedding", lambda names: False, lambda path: TEXT_EMBEDDING),
    Quotable("/multimodal-embedding/multimodal-embedding", lambda names: False, lambda path: MULTIMODAL_EMBEDDING),
    Quotable("/text-rerank/text-rerank", lambda names: False, lambda path: TEXT_RERANK),
)


class DashScopeServicesSurface:
    """Hands calls to the pipeline."""

    def __init__(self, gateway: Gateway, admit: Admit) -> None:
        self._gateway = gateway
        self._admit = admit

    def endpoints(self) -> list[Endpoint]:
        """Return every route."""
        return [
            Endpoint(published, self._service(operation), write_error=DASHSCOPE.write_error)
            for published, operation in _SERVICES
        ]

    def _service(self, operation: Operation) -> Handler:
        async def handler(request: Request) -> None:
            principal = self._admit.principal(request)
            asked = options_of(request)
            body = await self._admit.json_body(request)
            await self._gateway.answer(request.id, principal, operation, body, request, asked)

        return handler
