"""Brings the files inside a job to its vendor's own storage, where the vendor takes none inside a submission."""

from typing import Final

from msgspec.structs import replace

from tokengate.core.errors import UpstreamFailed
from tokengate.core.http import HttpRequest, Timeouts, Transport
from tokengate.core.jobs import Place, Storage, Task
from tokengate.core.parts import Data, Url
from tokengate.gateway.route import Target
from tokengate.tasks.ask import ask

_TIMEOUTS: Final = Timeouts(connect=10.0, first=120.0, between=30.0, total=300.0)
_MAX_ANSWER_BYTES: Final = 64 * 1024


async def brought(task: Task, target: Target, storage: Storage, transport: Transport) -> Task:
    """Return the task with the vendor's addresses of the files that were inside it. Raises UpstreamFailed."""
    found: dict[str, tuple[Url, ...]] = {}
    for name in task.__struct_fields__:
        sources = getattr(task, name)
        if isinstance(sources, tuple) and any(isinstance(one, Data) for one in sources):  # pyright: ignore[reportUnknownVariableType]
            found[name] = tuple(
                [
                    await _brought(one, at, task.model, target, storage, transport) if isinstance(one, Data) else one
                    for at, one in enumerate(sources)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
                ]
            )
    return replace(task, **found) if found else task


async def _brought(file: Data, at: int, model: str, target: Target, storage: Storage, transport: Transport) -> Url:
    place = await ask(target, storage.ask(model), lambda leave: storage.read(leave, file, at))
    await _post(place, transport)
    return Url(place.address)


async def _post(place: Place, transport: Transport) -> None:
    headers = {"content-type": place.form.content_type}
    exchange = await transport.send(HttpRequest("POST", place.url, headers, b"", _TIMEOUTS, upload=place.form))
    try:
        if not 200 <= exchange.status < 300:
            raise UpstreamFailed(
                f"The upstream's storage did not take the file: it answered {exchange.status}.",
                kind="status",
                upstream_status=exchange.status,
            )
        await exchange.read(_MAX_ANSWER_BYTES)
    finally:
        exchange.close()
