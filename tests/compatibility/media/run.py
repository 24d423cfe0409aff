"""Runs cells of the matrix of media: a gateway in front of every simulated vendor that makes some, asked in every
format. Cells, and what they come to, are those of the matrix of chats.
"""

import asyncio
import json
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from msgspec.structs import replace

from tests.compatibility.media.rows import CLIP, FILM, FILMS, MUSIC, PIECE, STEM, Request, Row, Section
from tests.compatibility.media.vendors import VENDORS, Running, Vendor
from tests.compatibility.run import Cell, Outcome, cell_of, gateway_of
from tests.engines.support import DATA
from tests.hosted import Hosted
from tests.raw_http import Answer

_WARNING = "x-tokengate-warning"
_BOUNDARY = "frontier"
# What makes the things that stand for what was made before.
_MAKES = {
    CLIP: (MUSIC, "create"),
    PIECE: (MUSIC, "replace-section"),
    STEM: (MUSIC, "stems"),
    FILM: (FILMS, "words"),
}


class Place:
    """The gateway, and the vendors behind it."""

    def __init__(self, runner: asyncio.Runner, gateway: Hosted, running: Mapping[str, Running]) -> None:
        self._runner = runner
        self._gateway = gateway
        self._running = running
        self._made: dict[tuple[str, str], str] = {}  # what each vendor made for others to work on

    def cell(self, section: Section, vendor: Vendor, row: Row) -> Cell:
        """Return what a capability comes to. Fails where something is lost."""
        lacks = f"{section.id}.{row.id}" in vendor.lacks
        outcome = self._outcome(section, vendor, row)
        try:
            return cell_of(outcome, lacks=lacks, on_request="")
        except AssertionError as error:
            raise AssertionError(f"{section.id} -> {vendor.id}: {row.id}: {error}") from None

    def _outcome(self, section: Section, vendor: Vendor, row: Row) -> Outcome:
        request = row.ask(vendor, vendor.model(section, row))
        request = self._with_made(request, vendor)
        calls = self._running[vendor.id].calls
        before = len(calls)
        answer = self._send(request)
        if answer.status != 200:
            return Outcome("refused" if len(calls) == before else "vendor_refused", _message(answer))
        told = answer.body
        if section.job:
            told = self._end_of(section, answer)
        warned = answer.headers.get(_WARNING, "")
        sent = b"".join(part for call in calls[before:] for part in (call.path.encode(), call.body))
        if row.marks and not any(mark in sent for mark in row.marks):
            return Outcome("left_out", warned) if warned else Outcome("lost", str(sent[:600]))
        if not row.returns(told):
            return Outcome("left_out", warned) if warned else Outcome("silent", str(told[:600]))
        return Outcome("left_out", warned) if warned and not row.marks else Outcome("passed")

    def _with_made(self, request: Request, vendor: Vendor) -> Request:
        """Return a request with the clip, or the film, that it is about; each is made once."""
        for word, (section, name) in _MAKES.items():
            if word in request.path or word in map(str, request.body.values()):
                made = self._made_by(section, vendor, word, name)
                body = {name: made if value == word else value for name, value in request.body.items()}
                request = replace(request, path=request.path.replace(word, made), body=body)
        return request

    def _made_by(self, section: Section, vendor: Vendor, word: str, name: str) -> str:
        if (vendor.id, word) not in self._made:
            row = next(row for row in section.rows if row.id == name)
            answer = self._send(self._with_made(row.ask(vendor, vendor.model(section, row)), vendor))
            told = self._end_of(section, answer)
            assert row.returns(told), told
            is_clip = section is MUSIC
            self._made[vendor.id, word] = json.loads(told)["data"]["data"][0]["id"] if is_clip else answer.json["id"]
        return self._made[vendor.id, word]

    def _end_of(self, section: Section, answer: Answer) -> bytes:
        """Follow a job to its end, and return what is told of it then."""
        assert answer.status == 200, answer.body
        told, id = answer.json, ""
        match section.job:
            case "video":
                id, path = told["id"], f"/v1/videos/{told['id']}"
            case "task":
                id, path = told["output"]["task_id"], f"/api/v1/tasks/{told['output']['task_id']}"
            case "suno":
                id, path = told["data"], f"/suno/v2/tasks/{told['data']}"
            case "submitted":
                id, path = told["data"], f"/suno/fetch/{told['data']}"
            case "":
                raise AssertionError("nothing to follow")
        job = f"job_{id.rpartition('_')[2].replace('-', '')}"
        self._runner.run(self._gateway.get(f"/v1/jobs/{job}/events"))
        return self._runner.run(self._gateway.get(path)).body

    def _send(self, request: Request) -> Answer:
        if not request.fields:
            return self._runner.run(self._gateway.post(request.body, request.path, headers=request.headers))
        headers = {**request.headers, "content-type": f"multipart/form-data; boundary={_BOUNDARY}"}
        return self._runner.run(self._gateway.post(_form(request), request.path, headers=headers))


def _form(request: Request) -> bytes:
    parts = [f'name="{name}"\r\n\r\n{value}'.encode() for name, value in request.fields]
    if request.file is not None:
        field, name, data = request.file
        kind = "image/png" if name.endswith(".png") else "audio/wav"
        parts.append(f'name="{field}"; filename="{name}"\r\nContent-Type: {kind}\r\n\r\n'.encode() + data)
    lines = (b"--%b\r\nContent-Disposition: form-data; %b\r\n" % (_BOUNDARY.encode(), part) for part in parts)
    return b"".join(lines) + f"--{_BOUNDARY}--\r\n".encode()


def _message(answer: Answer) -> str:
    told = answer.json
    error = told.get("error", told)
    return error["message"]


@contextmanager
def open_place(folder: Path) -> Generator[Place]:
    """Start every vendor and a gateway before them."""
    with ExitStack() as stack:
        started = {vendor.id: stack.enter_context(vendor.start()) for vendor in VENDORS}
        config = '[outbound]\nprivate_hosts = ["127.0.0.1"]\n[portal]\nbase_url = "https://ai.example.com"\n'
        config += "".join(vendor.config(*started[vendor.id][1:]) for vendor in VENDORS)
        folder.mkdir()
        (folder / "models").symlink_to(DATA / "models")
        runner, gateway = stack.enter_context(gateway_of(folder, config))
        runner.run(gateway.platform.backends.start())
        yield Place(runner, gateway, {id: running for id, (running, _, _) in started.items()})
