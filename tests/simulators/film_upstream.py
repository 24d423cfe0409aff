"""Simulated makers of films: OpenAI's videos, and a vLLM-Omni server's.

    with ThreadedUpstream(FilmSimulator("openai")) as upstream:
        client = OpenAI(base_url=upstream.url, api_key=KEY)

Films are real ones of the size and the length that were asked for. A job is queued when it is submitted, then further
with each look, and done at the third, or at that which `looks` says. A prompt may ask for more:

    ERROR 429   that status at once
    FAIL        it fails, with a reason
    STAY        it never ends
    LOST        at the second look nobody knows it any more
    LATE        the film is not there yet the first time it is fetched
    EXPIRE      the film is there no more
"""

import json
import re
import time
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import parse_qs

from tests.simulators.films import film_of, still
from tests.simulators.image_upstream import File, read_form
from tests.simulators.openai_upstream import Call, Reply

KEY = "sk-simulated"
WAN = "Wan-AI/Wan2.2-T2V-A14B-Diffusers"
MODELS = ("sora-2", "sora-2-pro")
LOOKS = 3  # at which a film is done
FAILED = ("moderation_blocked", "Your request was blocked by our moderation system.")

Vendor = Literal["openai", "vllm"]
Json = dict[str, Any]

_SIZES: Final = {
    "sora-2": ("720x1280", "1280x720"),
    "sora-2-pro": ("720x1280", "1280x720", "1024x1792", "1792x1024", "1080x1920", "1920x1080"),
}
_SECONDS: Final = ("4", "8", "12", "16", "20")
_OPENAI: Final = {"model", "prompt", "seconds", "size", "input_reference", "input_reference[image_url]"}
_VLLM: Final = {"model", "prompt", "seconds", "size", "user", "width", "height", "num_frames", "fps", "seed"} | {
    "input_reference",
    "image_reference",
    "audio_reference",
    "num_inference_steps",
    "guidance_scale",
    "guidance_scale_2",
    "boundary_ratio",
    "flow_shift",
    "true_cfg_scale",
    "generate_sound",
    "sound_duration",
    "negative_prompt",
    "enable_frame_interpolation",
    "frame_interpolation_exp",
    "frame_interpolation_scale",
}
_DEFAULT_FPS: Final = 24
_ERROR = re.compile(r"ERROR (\d{3})")
_one_video = re.compile(r"/v1/videos/([^/?]+)(/content|/remix)?").fullmatch


class Refused(Exception):
    """A refusal, as the vendor answers it."""

    def __init__(self, status: int, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code


@dataclass
class Made:
    """A job."""

    id: str
    model: str
    prompt: str
    seconds: str
    size: str | None
    film_seconds: int
    created_s: int
    needs_looks: int
    remixed_from: str | None = None
    looks: int = 0
    fetches: int = 0

    @property
    def done(self) -> bool:
        return self.looks >= self.needs_looks and "STAY" not in self.prompt

    @property
    def status(self) -> str:
        if self.done:
            return "failed" if "FAIL" in self.prompt else "completed"
        return "in_progress" if self.looks else "queued"

    @property
    def progress(self) -> int:
        return 100 if self.status == "completed" else min(self.looks * 33, 99)


class FilmSimulator:
    """A script for `Upstream` that remembers what it was asked."""

    def __init__(self, vendor: Vendor = "openai", *, looks: int = LOOKS, model: str = WAN, key: str = KEY) -> None:
        """`model` is the one of a vLLM-Omni server; without a `key` anybody may ask."""
        self.vendor: Vendor = vendor
        self.model = model
        self.key = key
        self.looks = looks
        self.asked: list[Json] = []
        self.files: list[list[File]] = []
        self.videos: dict[str, Made] = {}
        self.made: set[str] = set()  # also those that are gone
        self._last = 0  # number of a film: none is given twice, not even once the film is gone

    def __call__(self, call: Call) -> Reply:
        try:
            return self._answer(call)
        except Refused as refused:
            return self._error(refused)

    def _answer(self, call: Call) -> Reply:
        if self.key and call.headers.get("authorization") != f"Bearer {self.key}":
            raise Refused(401, "Incorrect API key provided.", code="invalid_api_key")
        path, _, query = call.path.partition("?")
        if path == "/v1/videos":
            return self._create(call) if call.method == "POST" else self._list(parse_qs(query))
        if path == "/v1/videos/edits" and self.vendor == "openai":
            fields, _ = read_form(call)
            return self._change(fields.pop("video[id]", ""), fields)
        found = _one_video(path)
        if not found:
            raise Refused(404, f"Invalid URL ({call.method} {path})")
        match call.method, found[2]:
            case "GET", None:
                return self._look(found[1])
            case "DELETE", None:
                return self._delete(found[1])
            case "GET", "/content":
                return self._content(found[1], parse_qs(query).get("variant", ["video"])[0])
            case "POST", "/remix" if self.vendor == "openai":
                return self._change(found[1], call.json)
            case _:
                raise Refused(405, "Method Not Allowed")

    def _create(self, call: Call) -> Reply:
        is_form = call.headers.get("content-type", "").startswith("multipart/form-data")
        if not is_form and self.vendor == "vllm":
            raise Refused(400, "[{'type': 'missing', 'loc': ('body', 'prompt'), 'msg': 'Field required'}]")
        fields, files = read_form(call) if is_form else (call.json, list[File]())
        self.asked.append(fields)
        self.files.append(files)
        for name in [*fields, *(file.name for file in files)]:
            if name not in (_OPENAI if self.vendor == "openai" else _VLLM):
                raise Refused(400, f"Unknown parameter: '{name}'.", name, "unknown_parameter")
        if not fields.get("prompt"):
            raise Refused(400, "Missing required parameter: 'prompt'.", "prompt", "missing_required_parameter")
        if asked := _ERROR.search(fields["prompt"]):
            raise Refused(int(asked[1]), "Slow down.")
        made = self._sora(fields, files) if self.vendor == "openai" else self._wan(fields, files)
        self.videos[made.id] = made
        return _reply(self._shown(made))

    def _sora(self, fields: Json, files: list[File]) -> Made:
        model, seconds = fields.get("model", "sora-2"), fields.get("seconds", "4")
        size = fields.get("size", "720x1280")
        _allowed("model", model, MODELS)
        _allowed("seconds", seconds, _SECONDS)
        _allowed("size", size, _SIZES[model])
        for file in files:
            if file.media_type not in ("image/png", "image/jpeg", "image/webp"):
                raise Refused(400, f"Invalid file type: {file.media_type}", "input_reference")
            if file.media_type == "image/png" and _size_of_png(file.data) != size:
                raise Refused(400, "Inpaint image must match the requested width and height", "input_reference")
        return self._made(model, fields["prompt"], seconds, size, int(seconds))

    def _wan(self, fields: Json, files: list[File]) -> Made:
        if (asked := fields.get("model", self.model)) != self.model:
            raise Refused(400, f"Model mismatch: request specifies '{asked}' but server is running '{self.model}'.")
        seconds = fields.get("seconds")
        if seconds is not None and not re.fullmatch(r"[1-9]\d*", seconds):
            raise Refused(400, "String should match pattern '^[1-9]\\d*$'", "seconds")
        if not re.fullmatch(r"\d+x\d+", fields.get("size", "832x480")):
            raise Refused(400, "String should match pattern '^\\d+x\\d+$'", "size")
        if files and "image_reference" in fields:
            raise Refused(400, "Provide either input_reference or image_reference, not both.")
        fps = int(fields.get("fps", _DEFAULT_FPS))
        frames = int(fields.get("num_frames", 0)) or int(seconds or 0) * fps or 1
        return self._made(self.model, fields["prompt"], seconds or "4", fields.get("size"), max(frames // fps, 1))

    def _made(self, model: str, prompt: str, seconds: str, size: str | None, film_seconds: int) -> Made:
        self._last += 1
        number = self._last
        id = f"video_{number:048x}" if self.vendor == "openai" else f"video_gen_{number:032x}"
        self.made.add(id)
        return Made(id, model, prompt, seconds, size, film_seconds, int(time.time()), self.looks)

    def _change(self, id: str, body: Json) -> Reply:
        source = self._found(id)
        if source.status != "completed":
            raise Refused(400, "Only completed videos can be remixed.", "video_id")
        if set(body) - {"prompt"} or not body.get("prompt"):
            raise Refused(400, "Missing required parameter: 'prompt'.", "prompt", "missing_required_parameter")
        self.asked.append(body)
        made = self._made(source.model, body["prompt"], source.seconds, source.size, source.film_seconds)
        made.remixed_from = source.id
        self.videos[made.id] = made
        return _reply(self._shown(made))

    def _look(self, id: str) -> Reply:
        made = self._found(id)
        made.looks += 1
        if "LOST" in made.prompt and made.looks > 1:
            del self.videos[id]
            raise _unknown(id, self.vendor)
        # vLLM-Omni tells of a failed job with the status of its error.
        status = 500 if self.vendor == "vllm" and made.status == "failed" else 200
        return _reply(self._shown(made), status)

    def _list(self, query: dict[str, list[str]]) -> Reply:
        order, limit = query.get("order", ["desc"])[0], int(query.get("limit", ["20"])[0])
        if order not in ("asc", "desc") or not 0 <= limit <= 100:
            raise Refused(400, "Invalid value for 'limit' or 'order'.")
        videos = list(self.videos.values())  # in the order in which they were made
        if order == "desc":
            videos.reverse()
        if after := query.get("after"):
            ids = [made.id for made in videos]
            videos = videos[ids.index(after[0]) + 1 :]
        page = [self._shown(made) for made in videos[:limit]]
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {"first_id": None, "last_id": None}
        return _reply({"object": "list", "data": page, **ends, "has_more": len(videos) > limit})

    def _delete(self, id: str) -> Reply:
        made = self._found(id)
        if self.vendor == "openai" and not made.done:
            raise Refused(400, "Only completed or failed videos can be deleted.", "video_id")
        del self.videos[id]
        return _reply({"id": id, "object": "video.deleted", "deleted": True})

    def _content(self, id: str, variant: str) -> Reply:
        made = self._found(id)
        made.fetches += 1
        if made.status != "completed" or ("LATE" in made.prompt and made.fetches == 1):
            raise Refused(404, f"Video is not ready yet, use GET /v1/videos/{id} to check status.")
        if "EXPIRE" in made.prompt:
            raise Refused(404, "Video content has expired.")
        width, height = map(int, (made.size or "832x480").split("x"))
        if self.vendor == "vllm" or variant == "video":
            return Reply(200, {"content-type": "video/mp4"}, film_of(made.film_seconds, width, height))
        if variant == "thumbnail":
            return Reply(200, {"content-type": "image/webp"}, still(width // 4, height // 4, "WEBP"))
        _allowed("variant", variant, ("video", "thumbnail", "spritesheet"))
        return Reply(200, {"content-type": "image/jpeg"}, still(width, height // 4, "JPEG"))

    def _found(self, id: str) -> Made:
        if id not in self.videos:
            raise _unknown(id, self.vendor)
        return self.videos[id]

    def _shown(self, made: Made) -> Json:
        failed = made.status == "failed"
        code: str | int = 500 if self.vendor == "vllm" else FAILED[0]
        shown = {
            "id": made.id,
            "object": "video",
            "created_at": made.created_s,
            "status": made.status,
            "completed_at": made.created_s + 60 if made.done else None,
            "error": {"code": code, "message": FAILED[1]} if failed else None,
            "expires_at": made.created_s + 86_400 if made.status == "completed" else None,
            "model": made.model,
            "progress": made.progress,
            "prompt": made.prompt,
            "remixed_from_video_id": made.remixed_from,
            "seconds": made.seconds,
            "size": made.size,
        }
        if self.vendor == "vllm":
            shown |= {"quality": "default", "media_type": "video/mp4", "file_name": None, "inference_time_s": None}
            shown |= {"stage_durations": {}, "peak_memory_mb": 0.0, "expires_at": None}
        return shown

    def _error(self, refused: Refused) -> Reply:
        error: Json = {"message": refused.message, "type": "invalid_request_error", "param": refused.param}
        error["code"] = refused.code
        if self.vendor == "vllm":
            error |= {"type": "BadRequestError", "code": refused.status}
        return _reply({"error": error}, refused.status)


def _allowed(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        known = ", ".join(f"'{one}'" for one in allowed)
        raise Refused(400, f"Invalid value: '{value}'. Supported values are: {known}.", name, "invalid_value")


def _unknown(id: str, vendor: Vendor) -> Refused:
    return Refused(404, "Video not found" if vendor == "vllm" else f"Video with id '{id}' not found.")


def _size_of_png(data: bytes) -> str:
    return f"{int.from_bytes(data[16:20], 'big')}x{int.from_bytes(data[20:24], 'big')}"


def _reply(body: Json, status: int = 200) -> Reply:
    return Reply(status, {"content-type": "application/json", "x-request-id": "req-film"}, json.dumps(body).encode())
