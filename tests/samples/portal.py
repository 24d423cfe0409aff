"""A running gateway as a reader of its portal meets it: the request of each page, the samples that the page writes of
it, and what the gateway answers when it is asked plainly.
"""

import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from tests.e2e.gateway import GatewayProcess
from tests.forms import BOUNDARY, FORM_TYPE, form_of
from tests.samples.kinds import AWKWARD, AWKWARD_TEXT, CANCELS, PICTURES, Kind, kinds
from tests.simulators import openai_vendor
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.image_upstream import png
from tests.simulators.music_media import mp3
from tests.simulators.openai_upstream import Call, Reply, ThreadedUpstream, by_model, chunk, completion, usage_of
from tests.simulators.studio import FILM_MODEL, Studio

CONSOLE = Path(__file__).parents[2] / "console"
KEY_VARIABLE = "TOKENGATE_API_KEY"
ELSEWHERE = "https://ai.example.com"
LANG = "zh"  # its examples are not ASCII, which is where samples go wrong
REMIX_MODEL = "sora-2"
FOLDING_MODEL = "gpt-5.4"
PENDING_MODEL = "wan2.2-t2v-plus"
# Those of the pages.
MODELS = (
    "qwen-plus",
    "qwen-vl-max",
    "text-embedding-3-small",
    "text-embedding-v4",
    "qwen3-rerank",
    "omni-moderation-latest",
)
_UNANSWERED = "queue"
_SAID = ["你好！", "有什么", "可以 “帮” 您？"]
_FILM_PATH = "/api/v1/services/aigc/video-generation/video-synthesis"
_SSE = {"content-type": "text/event-stream; charset=utf-8"}

# What a page's example stands for, which a reader replaces by something of their own.
_A_CALL = "req_0kq3v8s2m4n6p8r0"
_A_RESPONSE, _ANOTHER_RESPONSE = "resp_0kq3v8s2m4n6p8r0", "resp_0kq3v8s2m4n6p8r1"
_A_PICTURE = "guide/images/portal"
_A_FILM = "video_019aa5d3c1f87a1b9c3d4e5f60718293"
_A_JOB = "job_019aa5d3c1f8a1b2c3d4e5f60718293a"
_A_CLIP = "clip_019aa5d3c1f8a1b2c3d4e5f60718293a_1"
_A_TASK = "019aa5d3-c1f8-a1b2-c3d4-e5f60718293a"
_A_RESULT = re.compile(r"/v1/results/[^?]+\?expires=\d+&signature=[\w-]+")

# The files of the pages' forms, which a reader has.
FILES = {"speech.mp3": mp3(), "picture.png": png(16, 16)}


class Sample(NamedTuple):
    """A program, and the name of its file."""

    file: str
    code: str


class Request(NamedTuple):
    """A request, as one program or another sends it."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None


Samples = dict[str, Sample]  # by the variant's id


class Portal:
    """The gateway and the samples of its pages. `speaker` is the vendor of chats; `key` pays for calls, `quiet_key` has
    made one call long ago."""

    def __init__(
        self,
        gateway: GatewayProcess,
        speaker: ThreadedUpstream,
        others: tuple[ThreadedUpstream | DashScope, ...],
        programs: Path,
        key: str,
        quiet_key: str,
    ) -> None:
        self.gateway = gateway
        self._speaker = speaker
        self._vendors = (speaker, *others)
        self.programs = programs
        self.key = key
        self.quiet_key = quiet_key
        self.requests = {kind: self._request_of(kind) for kind in kinds()}
        self.requests[AWKWARD] = self.requests[Kind("chat.completions")] | {"body": _chat(AWKWARD_TEXT, before="#)---")}
        self._samples: dict[str, dict[Kind, Samples]] = {}
        self._call_id = self._one_call()
        self._response_id, self._deleted_id, self._waiting_id = self._one_response(), "", ""
        self._film = self._one_film(FILM_MODEL)
        self._remixed = self._one_film(REMIX_MODEL)
        self._song = self._one_song("create", prompt="[Verse]\n月光", title="月光", tags="pop")
        self._section = self._one_song(
            "replace-section", clip_id=_clip_of(self._song), prompt="x", infill_start_s=3, infill_end_s=4
        )
        self._task, self._doomed = self._one_task(), ""

    def served(self) -> list[str]:
        """Return the operations that the running gateway serves."""
        groups = self._get("/console/api/portal/operations")["data"]
        return [one["id"] for group in groups for one in group["operations"] if one["status"] == "released"]

    def samples(self, kind: Kind, base_url: str = "") -> Samples:
        """Return the samples of a kind as its page shows them; without a base URL with the gateway's own."""
        base = base_url or self.gateway.url
        if base not in self._samples:
            written = write_samples(self.requests.values(), base)
            self._samples[base] = dict(zip(self.requests, written, strict=True))
        return self._samples[base][kind]

    def filled(self, text: str, kind: Kind) -> str:
        """Return a text with the page's examples replaced as a reader does, by something that there is."""
        for example, own in self._own(kind).items():
            text = text.replace(example, own)
        return _A_RESULT.sub(self._result, text) if kind.operation == "results.show" else text

    def put_back(self, kind: Kind) -> None:
        """Make another one in place of what the request of a kind ended or deleted."""
        match kind.operation:
            case "responses.delete":
                self._deleted_id = self._one_response()
            case "responses.cancel":
                self._waiting_id = self._one_waiting()
            case "jobs.cancel" | "dashscope.task_cancel":
                self._doomed = self._one_pending()
            case "jobs.delete" | "videos.delete":
                self._doomed = self._one_pending()
                self._posted(f"/v1/jobs/{self._doomed}/cancel", None)
            case _:
                pass

    def key_for(self, kind: Kind) -> str:
        """Return a key: calls are made with one, and balances and usage are read with another."""
        return self.key if self.requests[kind]["body"] else self.quiet_key

    def request(self, kind: Kind) -> Request:
        """Return the request that all samples of a kind are to send."""
        asked = self.requests[kind]
        headers = {
            name: value.replace(f"${KEY_VARIABLE}", self.key_for(kind)) for name, value in asked["headers"].items()
        }
        text = self.filled(asked["body"], kind) if asked["body"] else None
        body = text.encode() if text else None
        if text and headers["Content-Type"] == FORM_TYPE:
            headers["Content-Type"] = f"{FORM_TYPE}; boundary={BOUNDARY}"
            body = form_of(((name, str(value)) for name, value in json.loads(text).items()), FILES)
        return Request(asked["method"], self.gateway.url + self.filled(asked["path"], kind), headers, body)

    def at_its_end(self, kind: Kind, answer: bytes) -> bytes:
        """Return an answer as it is once it has been made: one in the background is looked at until then."""
        if not kind.background:
            return answer
        path, key = f"/v1/responses/{json.loads(answer)['id']}", self.key_for(kind)
        while (told := self.gateway.get(path, key))["status"] in ("queued", "in_progress"):
            pass
        return json.dumps(told).encode()

    def calls(self) -> list[int]:
        """Return how many calls each vendor got."""
        return [len(one.calls) for one in self._vendors]

    def calls_since(self, before: list[int]) -> list[Call]:
        """Return the calls that reached vendors since, without the gateway's own looks at jobs and downloads."""
        calls = [call for one, count in zip(self._vendors, before, strict=True) for call in one.calls[count:]]
        return [call for call in calls if call.method == "POST"]

    def _own(self, kind: Kind) -> dict[str, str]:
        """Return what stands for each of the examples of a page."""
        music = kind.operation.startswith(("suno.", "music."))
        doomed = kind.operation in (*CANCELS, "jobs.delete", "videos.delete")
        changed = kind.operation in ("videos.remix", "videos.edits")
        job = self._doomed if doomed else self._song if music else self._film
        film = self._doomed if doomed else self._remixed if changed else self._film
        task = self._doomed if doomed else self._task
        return {
            _A_RESPONSE: self._waiting_id if kind.operation == "responses.cancel" else self._response_id,
            _ANOTHER_RESPONSE: self._deleted_id,
            _A_CALL: self._call_id,
            _A_PICTURE: PICTURES[0] if PICTURES else _A_PICTURE,
            _A_CLIP: _clip_of(self._section if kind.operation == "suno.concat" else self._song),
            _A_JOB: job,
            _A_FILM: film.replace("job_", "video_"),
            _A_TASK: _task_of(task),
        }

    def _request_of(self, kind: Kind) -> dict[str, Any]:
        page = self._get(f"/console/api/portal/pages/api/{kind.operation}?lang={LANG}")
        request, examples = page["sample_request"], page["request_examples"]
        if not examples:
            return request
        example = examples[kind.example]
        headers = request["headers"] | {"Content-Type": example["content_type"]}
        return request | {"headers": headers, "body": example["body"]}

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.gateway.url + path, timeout=10) as reply:
            return json.load(reply)

    def _one_response(self, **asked: Any) -> str:
        """Make a response that is stored and return its id."""
        return f"resp_{self._posted('/v1/responses', _asked(**{'input': '你好', **asked})).partition('_')[2]}"

    def _one_waiting(self) -> str:
        """Return the id of a response in the background, once its vendor was asked, who never says anything."""
        count = len(self._speaker.calls)
        made = self._one_response(input=_UNANSWERED, background=True)
        self._speaker.run(self._speaker.upstream.arrived(count + 1))
        return made

    def _one_film(self, model: str) -> str:
        """Have a film made and return its job's id once it is done."""
        made = self._made("/v1/videos", model=model, prompt="猫", size="1280x720")
        return self._done(made["id"].replace("video_", "job_"))

    def _one_song(self, action: str, **asked: Any) -> str:
        """Have music made and return its job's id once it is done."""
        return self._done(self._made(f"/suno/v2/{action}", **asked)["data"])

    def _one_task(self) -> str:
        """Have a task of DashScope done and return its job's id."""
        made = self._made(_FILM_PATH, model=PENDING_MODEL, input={"prompt": "猫"})
        return self._done(_job_of(made["output"]["task_id"]))

    def _one_pending(self) -> str:
        """Return the id of a job that waits for ever."""
        made = self._made(_FILM_PATH, model=PENDING_MODEL, input={"prompt": "queue"})
        return _job_of(made["output"]["task_id"])

    def _done(self, job_id: str) -> str:
        """Wait for the end of a job, with which its events end."""
        headers = {"authorization": f"Bearer {self.quiet_key}"}
        asked = urllib.request.Request(f"{self.gateway.url}/v1/jobs/{job_id}/events", headers=headers)
        with urllib.request.urlopen(asked, timeout=60) as reply:
            assert b'"succeeded"' in reply.read(), job_id
        return job_id

    def _made(self, path: str, **asked: Any) -> Any:
        """Have something made and return what is told of it."""
        headers = {"x-dashscope-async": "enable", **self._headers()}
        made = urllib.request.Request(self.gateway.url + path, json.dumps(asked).encode(), headers)
        with urllib.request.urlopen(made, timeout=10) as reply:
            return json.load(reply)

    def _result(self, _: re.Match[str]) -> str:
        return self._film_address

    @cached_property
    def _film_address(self) -> str:
        """The signed address of a film, below the gateway: asked for once, as it tells when it was."""
        url: str = self.gateway.get(f"/v1/jobs/{self._film}", self.quiet_key)["files"][0]["url"]
        return url.removeprefix(self.gateway.url)

    def _posted(self, path: str, body: str | None) -> str:
        """Make a call and return its id."""
        data = body.encode() if body is not None else None
        made = urllib.request.Request(self.gateway.url + path, data, self._headers(), method="POST")
        with urllib.request.urlopen(made, timeout=10) as reply:
            return reply.headers["x-request-id"]

    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.quiet_key}", "content-type": "application/json"}

    def _one_call(self) -> str:
        """Make a call and return its id once it is recorded."""
        call_id = self._posted("/v1/chat/completions", _chat("你好"))
        while call_id not in [call["id"] for call in self.gateway.get("/v1/usage", self.quiet_key)["data"]]:
            pass
        return call_id


def _clip_of(job_id: str) -> str:
    return f"{job_id.replace('job_', 'clip_')}_1"


def _job_of(task_id: str) -> str:
    return f"job_{task_id.replace('-', '')}"


def _task_of(job_id: str) -> str:
    return str(UUID(job_id.removeprefix("job_"))) if job_id else ""


def _chat(text: str, *, before: str = "") -> str:
    said = [{"role": "system", "content": before}] if before else []
    messages = [*said, {"role": "user", "content": text}]
    return _asked(messages=messages)


def _asked(**members: Any) -> str:
    return json.dumps({"model": MODELS[0], **members}, ensure_ascii=False)


def plainly(request: Request) -> bytes:
    """Send a request and return the answer's body, of an error too."""
    sent = urllib.request.Request(request.url, request.body, request.headers, method=request.method)
    try:
        with urllib.request.urlopen(sent, timeout=30) as reply:
            return reply.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.read()


def write_samples(requests: Iterable[Mapping[str, Any]], base_url: str) -> list[Samples]:
    """Return the samples of each request, as the front end writes them."""
    tsx = CONSOLE / "node_modules" / ".bin" / "tsx"
    assert tsx.exists() and shutil.which("node"), "the packages of console/ are missing: make setup"
    done = subprocess.run(
        [tsx, "scripts/samples.ts", "--base-url", base_url],
        cwd=CONSOLE,
        input=json.dumps(list(requests)),
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return [
        {f"{one['language']}.{one['variant']}": Sample(one["file"], one["code"]) for one in samples}
        for samples in json.loads(done.stdout)
    ]


def configuration(upstream_url: str, remixing_url: str, folding_url: str, studio: Studio) -> str:
    """Return a configuration that offers the models of the pages."""
    return (
        f'[[upstream]]\nname = "simulator"\nbase_url = "{upstream_url}"\nmodels = {json.dumps(MODELS)}\n'
        f'[[upstream]]\nname = "remixer"\nbase_url = "{remixing_url}"\nmodels = ["{REMIX_MODEL}"]\n'
        f'[[upstream]]\nname = "folder"\nprovider = "openai"\nbase_url = "{folding_url}"\n'
        f'api_key = "{openai_vendor.KEY}"\nmodels = ["{FOLDING_MODEL}"]\n'
        f'[[app]]\nname = "xiaowei"\nmodel = "{MODELS[0]}"\nsystem = "Be kind."\n{studio.config}'
    )


def say_hello(call: Call) -> Reply:
    """Answer chats in Chinese, whole or streamed, but for one that is never answered; anything else as the simulator
    does."""
    if not call.path.endswith("/chat/completions"):
        return by_model(call)
    if call.json["messages"][-1]["content"] == _UNANSWERED:
        return Reply(silent=True)
    if not call.json.get("stream"):
        said = completion(call.model, "".join(_SAID), usage_of(10, 5))
        return Reply(headers={"content-type": "application/json"}, body=json.dumps(said, ensure_ascii=False).encode())
    pieces = [chunk(call.model, [{"index": 0, "delta": {"content": text}, "finish_reason": None}]) for text in _SAID]
    pieces.append(chunk(call.model, [{"index": 0, "delta": {}, "finish_reason": "stop"}]))
    options: dict[str, Any] = call.json.get("stream_options") or {}
    if options.get("include_usage"):
        pieces.append(chunk(call.model, [], usage=usage_of(10, 5)))
    return Reply(headers=_SSE, pieces=[*pieces, b"data: [DONE]\n\n"])
