"""What is sent to sunoapi.org for each operation on music: a path and a body.

https://docs.sunoapi.org, 2026-11. Joined sections and beats have no operation there, and a cover is made of an address
alone.
"""

from typing import Any, Final

from msgspec import Raw

from tokengate.core.music import Compose, MusicAction, Origin
from tokengate.core.wire import Losses

# The vendor's names of the versions of ours; one that an operator named otherwise goes as it is.
_MODELS: Final = {
    "sunoV2": "V5",
    "chirp-crow": "V5",
    "chirp-bluejay": "V4_5PLUS",
    "chirp-auk": "V4_5",
    "chirp-v4": "V4",
}
_NOT_OFFERED: Final = frozenset({"chirp-v3-5"})

_LACKING: Final[dict[MusicAction, str]] = {
    "cover": "cannot be covered there; send the music's address to upload-cover",
    "concat": "cannot be joined there",
    "beats": "has no beats there",
}
_OF_CLIP: Final = {"mp4": "mp4/generate", "wav": "wav/generate", "timing": "generate/get-timestamped-lyrics"}

Asked = tuple[str, dict[str, Any]]


def asked(task: Compose, losses: Losses, callback: str) -> Asked:
    """Return the path and the body of a submission. Raises Unsupported."""
    losses.foreign(task)
    path, body = _asked(task, losses)
    if callback and is_told(task):
        body["callBackUrl"] = callback
    return f"/api/v1/{path}", {name: value for name, value in body.items() if value is not None}


def is_told(task: Compose) -> bool:
    """Whether the vendor tells of such a task's end; what it answers at once it does not."""
    return task.action not in ("timing", "tags")


def _asked(task: Compose, losses: Losses) -> Asked:
    if why := _LACKING.get(task.action):
        raise losses.refuse("clip_id", why)
    match task.action:
        case "replace_section":
            return "generate/replace-section", _clip(task, losses) | {
                "prompt": task.prompt,
                "tags": task.tags or "",
                "title": task.title or "",
                "negativeTags": task.negative_tags,
                "infillStartS": _number(task.from_s),
                "infillEndS": _number(task.to_s),
            }
        case "stems":
            kind = "separate_vocal" if task.stem == "two" else "split_stem"
            return "vocal-removal/generate", _clip(task, losses) | {"type": kind}
        case "midi":
            return "midi/generate", {"taskId": _split(task, losses).task}
        case "mp4" | "wav" | "timing":
            return _OF_CLIP[task.action], _clip(task, losses)
        case "lyrics":
            return "lyrics", {"prompt": task.prompt}
        case "tags":
            return "style/generate", {"content": task.tags}
        case _:
            return _song(task, losses)


def _song(task: Compose, losses: Losses) -> Asked:
    if task.model in _NOT_OFFERED:
        raise losses.refuse("model", f"{task.model} is not offered there")
    body: dict[str, Any] = {
        "model": _MODELS.get(task.model, task.model),
        "prompt": task.prompt,
        "style": task.tags,
        "title": task.title,
        "negativeTags": task.negative_tags,
        "vocalGender": task.vocal_gender,
        "styleWeight": _number(task.style_weight),
        "weirdnessConstraint": _number(task.weirdness),
        "audioWeight": _number(task.audio_weight),
        "uploadUrl": task.upload_url,
    }
    mode = {"customMode": task.custom, "instrumental": task.instrumental is True}
    match task.action:
        case "create":
            return "generate", body | mode
        case "upload_cover":
            return "generate/upload-cover", body | mode
        case "upload_extend":
            instrumental = {"instrumental": task.instrumental is True}
            return "generate/upload-extend", body | instrumental | _continued(task)
        case _:
            if task.instrumental is not None:
                losses.drop("instrumental")
            return "generate/extend", body | {"audioId": _clip(task, losses)["audioId"]} | _continued(task)


def _continued(task: Compose) -> dict[str, Any]:
    return {"defaultParamFlag": True, "continueAt": _number(task.continue_at_s)}


def _clip(task: Compose, losses: Losses) -> dict[str, Any]:
    origin = _origin(task)
    if origin.action == "stems":
        raise losses.refuse("clip_id", "must be a clip with its voice: what was split is only for MIDI there")
    return {"taskId": origin.task, "audioId": origin.clip}


def _split(task: Compose, losses: Losses) -> Origin:
    """Notes are read from what was split, and from nothing else."""
    origin = _origin(task)
    if origin.action != "stems":
        raise losses.refuse("clip_id", "must be a clip of a task that split voice and music")
    return origin


def _origin(task: Compose) -> Origin:
    assert task.origin is not None, "the gateway looks clips up before it submits"
    return task.origin


def _number(decimal: str | None) -> Raw | None:
    return None if decimal is None else Raw(decimal.encode())
