"""What simulated sellers of music have in common: tasks that are done after some looks, real files, and a script for an
`Upstream`.

What the words of a task say is what happens:

    ERROR 455       that code, at the submission
    FAIL because    the task fails, in these words
    LATE 3          it is done at the third look; without it, at the second
    FORGET          the vendor knows nothing of it afterwards
    NO FILE         its files are not there

A test may also hold tasks back (`hold`) and let them go.
"""

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from tests.simulators.films import film_of, still
from tests.simulators.music_media import midi, mp3, wav
from tests.simulators.openai_upstream import Reply

Json = dict[str, Any]

KEY = "sk-music-simulated"
JSON = {"content-type": "application/json"}

_FILES = {
    "mp3": ("audio/mpeg", mp3),
    "wav": ("audio/wav", wav),
    "mp4": ("video/mp4", lambda: film_of(1, 64, 64)),
    "jpeg": ("image/jpeg", lambda: still(64, 64, "JPEG")),
    "mid": ("audio/midi", midi),
}
_ERROR = re.compile(r"ERROR (\d{3})")
_FAIL = re.compile(r"FAIL ([^|]+)")
_LATE = re.compile(r"LATE (\d+)")


class Asked(Protocol):
    """A request: `Call` of an `Upstream` is one."""

    @property
    def method(self) -> str: ...

    @property
    def path(self) -> str: ...

    @property
    def headers(self) -> dict[str, str]: ...

    @property
    def body(self) -> bytes: ...


class Refused(Exception):
    """The vendor's own code and words."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass
class Task:
    """A task as the vendor keeps it; `clips` are the ids of what it makes."""

    id: str
    kind: str
    body: Json
    clips: list[str] = field(default_factory=list[str])
    looks: int = 0
    usual: int = 2  # looks until it is done, unless its words say otherwise

    @property
    def text(self) -> str:
        return " ".join(str(value) for value in self.body.values())

    @property
    def fails(self) -> str:
        found = _FAIL.search(self.text)
        return found[1].strip() if found else ""

    @property
    def due(self) -> int:
        found = _LATE.search(self.text)
        return int(found[1]) if found else self.usual


class MusicVendor:
    """Answers with `submit` and `show`, which each vendor has its own way of. It remembers what it was asked."""

    def __init__(self, *, looks: int = 2) -> None:
        self._looks = looks
        self.tasks: dict[str, Task] = {}
        self.asked: list[Json] = []
        self.held = False
        self.fetched: list[str] = []

    def __call__(self, call: Asked) -> Reply:
        if call.method == "GET" and call.path.startswith("/files/"):
            return self._file(call.path)
        if call.headers.get("authorization") != f"Bearer {KEY}":
            return self.refusal(Refused(401, "You do not have access permissions."))
        try:
            return Reply(200, JSON, json.dumps(self.answer(call)).encode())
        except Refused as refused:
            return self.refusal(refused)

    def answer(self, call: Asked) -> Json:
        """Return the reply to a call. Raises Refused."""
        raise NotImplementedError

    def refusal(self, refused: Refused) -> Reply:
        """Return an error as the vendor writes it: a number inside a status 200."""
        body = {"code": refused.code, "msg": refused.message, "data": None}
        return Reply(200, JSON, json.dumps(body).encode())

    def hold(self) -> None:
        """Let no task be done until `let_go`."""
        self.held = True

    def let_go(self) -> None:
        self.held = False

    def begin(self, kind: str, body: Json, clips: int) -> Task:
        """Enter a task. Raises Refused."""
        task = Task(uuid.uuid4().hex, kind, body, [str(uuid.uuid4()) for _ in range(clips)], usual=self._looks)
        if found := _ERROR.search(task.text):
            raise Refused(int(found[1]), f"The simulated vendor says {found[1]}.")
        self.tasks[task.id] = task
        self.asked.append(body)
        return task

    def look(self, task_id: str) -> Task | None:
        """Return a task at one more look; None when it is not known (any more)."""
        task = self.tasks.get(task_id)
        if task is None or ("FORGET" in task.text and task.looks):
            return None
        if not self.held:
            task.looks += 1
        return task

    def made(self, clip_id: str) -> Task | None:
        """Return the task that made a clip."""
        return next((task for task in self.tasks.values() if clip_id in task.clips), None)

    def _file(self, path: str) -> Reply:
        name = path.removeprefix("/files/")
        stem, _, ending = name.partition(".")
        self.fetched.append(name)
        task = self.made(stem) or self.tasks.get(stem.partition("_")[0])
        if ending not in _FILES or task is None or "NO FILE" in task.text:
            return Reply(404, JSON, b"{}")
        kind, make = _FILES[ending]
        return Reply(200, {"content-type": kind}, make())


def file_url(call: Asked, name: str) -> str:
    """Return where a file lies at the vendor."""
    return f"http://{call.headers['host']}/files/{name}"


def read_object(call: Asked) -> Json:
    """Return the body of a request. Raises Refused."""
    try:
        body: Any = json.loads(call.body)
    except ValueError:
        raise Refused(400, "JSON parse error") from None
    if not isinstance(body, dict) or not call.headers.get("content-type", "").startswith("application/json"):
        raise Refused(400, "JSON object expected")
    return cast("Json", body)


def check(body: Json, allowed: dict[str, type | tuple[type, ...]], required: tuple[str, ...]) -> None:
    """Raise Refused for what is missing, unknown or of the wrong type; the vendor is strict."""
    for name in required:
        if body.get(name) in (None, ""):
            raise Refused(400, f"{name} is required")
    for name, value in body.items():
        if name not in allowed:
            raise Refused(400, f"unknown parameter {name}")
        if not isinstance(value, allowed[name]) or (isinstance(value, bool) and allowed[name] is not bool):
            raise Refused(400, f"{name} has the wrong type")


def check_weights(body: Json, *names: str) -> None:
    """Raise Refused for a weight that is none."""
    for name in names:
        value = body.get(name)
        if value is not None and (not 0 <= value <= 1 or round(value, 2) != value):
            raise Refused(400, f"{name} must be 0-1 with two decimals")
