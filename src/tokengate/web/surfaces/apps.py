"""AI applications at addresses of their own: `POST /v1/apps/{name}/chat/completions` is a chat with `app/NAME`."""

import msgspec

from tokengate.catalog.applications import APP_PREFIX
from tokengate.core.errors import BadRequest
from tokengate.core.splice import read_members
from tokengate.gateway.openai import CHAT_COMPLETIONS
from tokengate.gateway.pipeline import Gateway
from tokengate.reference import table
from tokengate.web.admit import Admit, options
from tokengate.web.dispatch import Endpoint
from tokengate.web.request import Request

_HEAD, _, _TAIL = table.APP_CHAT.path.partition("{name}")


class AppsSurface:
    """Hands calls to the pipeline under the application's name."""

    def __init__(self, gateway: Gateway, admit: Admit) -> None:
        self._gateway = gateway
        self._admit = admit

    def endpoints(self) -> list[Endpoint]:
        """Return the one route."""
        return [Endpoint(table.APP_CHAT, self._chat)]

    async def _chat(self, request: Request) -> None:
        principal = self._admit.principal(request)
        asked = options(request)
        body = await self._admit.json_body(request)
        model = APP_PREFIX + request.path[len(_HEAD) : -len(_TAIL)]
        await self._gateway.answer(request.id, principal, CHAT_COMPLETIONS, _named(body, model), request, asked)


def _named(body: bytes, model: str) -> bytes:
    """Return the body with the application as its model, which it may leave out. Raises BadRequest."""
    name = msgspec.json.encode(model)
    members = read_members(body)
    if "model" not in members:
        return members.edit(add={"model": name})
    if members.get("model") not in (name, b"null"):
        raise BadRequest(f"'model' must be left out here, or be '{model}'.", param="model")
    return members.replace("model", name)
