"""DashScope's services over WebSocket, none of which is offered: each caller is told so, and what to use instead.

The vendor's SDK lets few of its users read why a handshake was refused, and has most wait for it. So whoever has a
key is let in, told in the protocol's own words, and the connection is closed.
"""

from websockets.frames import CloseCode

from tokengate.core.errors import NotFound
from tokengate.formats.dashscope.format import DASHSCOPE
from tokengate.formats.dashscope.sockets import write_session_error, write_task_failed
from tokengate.reference import table
from tokengate.web.admit import Admit
from tokengate.web.dispatch import Mount
from tokengate.web.request import Request
from tokengate.web.websocket import accept, is_handshake

# A refusal answers what it refuses: a task is known by its id, which its first message has, and the SDK takes a
# session that ends at once for one that never was. Who waits to be spoken to is told after so long.
_FIRST_MESSAGE_S = 3.0
_MAX_MESSAGE_BYTES = 1024 * 1024  # a task's first message may have its whole text

_REFUSALS = {"/api-ws/v1/inference": write_task_failed, "/api-ws/v1/realtime": write_session_error}
_REASON = f"Not served over WebSocket; use POST {table.DASHSCOPE_MULTIMODAL.path}."


class DashScopeSockets:
    """Refuses."""

    def __init__(self, admit: Admit) -> None:
        self._admit = admit

    def mounts(self) -> list[Mount]:
        """Return what answers below the services' path."""
        return [Mount("/api-ws/", self._refuse)]

    async def _refuse(self, request: Request) -> None:
        request.write_error = DASHSCOPE.write_error
        error = NotFound(
            f"{request.path[:200]} is not served, nothing is offered over WebSocket: speech and short recordings are "
            f"asked for with POST {table.DASHSCOPE_MULTIMODAL.path} (the SDK's MultiModalConversation), long "
            f"recordings with POST {table.DASHSCOPE_TRANSCRIPTION.path} (Transcription)."
        )
        write = _REFUSALS.get(request.path.rstrip("/"))
        if write is None or not is_handshake(request):
            raise error
        self._admit.principal(request)
        socket = accept(request, _MAX_MESSAGE_BYTES)
        if socket is None:
            raise error
        try:
            asked = await socket.first(_FIRST_MESSAGE_S)
            socket.send(write(error, asked, request.id))
        finally:
            socket.close(CloseCode.POLICY_VIOLATION, _REASON)
