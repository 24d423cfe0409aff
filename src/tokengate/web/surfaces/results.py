"""The files that jobs make, for whoever has a link to one: `/v1/results/{job_id}/{name}`.

A link is the key to its file, so that an `<img>`, a player or `curl` needs no other.
"""

from tokengate.core.errors import NotFound
from tokengate.files.links import PATH, Links
from tokengate.files.results import Results
from tokengate.reference import table
from tokengate.web.admit import Admit
from tokengate.web.dispatch import Endpoint
from tokengate.web.file_reply import send_file
from tokengate.web.request import Request


class ResultsSurface:
    """Checks links and sends files."""

    def __init__(self, results: Results, links: Links, admit: Admit) -> None:
        self._results = results
        self._links = links
        self._admit = admit

    def endpoints(self) -> list[Endpoint]:
        return [Endpoint(table.RESULT, self._send)]

    async def _send(self, request: Request) -> None:
        self._admit.require_open()
        job_id, slash, name = request.path.removeprefix(PATH).partition("/")
        if not slash or "/" in name:
            raise NotFound(f"Unknown request URL: {request.method} {request.path[:200]}.")
        self._links.require_signed(job_id, name, request.query)
        await send_file(request, await self._results.open(job_id, name))
