"""What is sent to CQTAI for each operation on music.

https://www.cqtai.com/docs/suno, 2026-11
"""

from typing import Any, Final, assert_never

from msgspec import Raw

from tokengate.core.music import Compose, MusicAction, Origin
from tokengate.core.wire import Losses

# The vendor's names of the versions of ours; one that an operator named otherwise goes as it is.
_MODELS: Final = {
    "sunoV2": "v50",
    "chirp-crow": "v50",
    "chirp-bluejay": "v45+",
    "chirp-auk": "v45",
    "chirp-v4": "v40",
}
_NOT_OFFERED: Final = frozenset({"chirp-v3-5"})


_OF_CLIP: Final[dict[MusicAction, str]] = {
    "stems": "gen_stem_two",
    "midi": "gen_stem_all",
    "mp4": "mp4",
    "wav": "wav",
    "timing": "timeline",
    "beats": "downbeats",
}


def body_of(task: Compose, losses: Losses) -> dict[str, Any]:
    """Return the body of a submission. Raises Unsupported."""
    losses.foreign(task)
    match task.action:
        case "create" | "extend" | "cover" | "upload_extend" | "upload_cover":
            return _song(task, losses)
        case "replace_section":
            return _section(task, losses)
        case "concat":
            return _merge(task, losses)
        case "stems" | "midi" | "mp4" | "wav" | "timing" | "beats":
            name = "gen_stem_all" if task.stem == "all" else _OF_CLIP[task.action]
            return {"task": name, "clipId": _origin(task).clip}
        case "lyrics":
            return {"task": "lyrics", "prompt": task.prompt}
        case "tags":
            return {"task": "upsample_tags", "prompt": task.tags}
        case _:
            assert_never(task.action)


def _song(task: Compose, losses: Losses) -> dict[str, Any]:
    if task.model in _NOT_OFFERED:
        raise losses.refuse("model", f"{task.model} is not offered there")
    extends, uploads_cover = task.action in ("extend", "upload_extend"), task.action == "upload_cover"
    if extends and task.vocal_gender is not None:
        losses.drop("vocal_gender")
    if uploads_cover and task.negative_tags is not None:
        losses.drop("negative_tags")
    given: dict[str, Any] = {
        "clipId": task.origin.clip if task.origin else None,
        "audioUrl": task.upload_url,
        "continueAt": _whole_seconds(task, losses) if extends else None,
        "prompt": task.prompt,
        "tags": task.tags,
        "negativeTags": None if uploads_cover else task.negative_tags,
        "title": task.title,
        "vocalGender": None if extends else task.vocal_gender,
        "styleWeight": _number(task.style_weight),
        "weirdnessConstraint": _number(task.weirdness),
        "audioWeight": _number(task.audio_weight),
    }
    return {
        "task": task.action,
        "model": _MODELS.get(task.model, task.model),
        "customMode": task.custom,
        "makeInstrumental": task.instrumental is True,
        **{name: value for name, value in given.items() if value is not None},
    }


def _whole_seconds(task: Compose, losses: Losses) -> int:
    assert task.continue_at_s is not None, "the reader asks for it"
    if "." in task.continue_at_s:
        raise losses.refuse("continue_at_s", "must be whole seconds there")
    return int(task.continue_at_s)


def _section(task: Compose, losses: Losses) -> dict[str, Any]:
    if task.negative_tags is not None:
        losses.drop("negative_tags")
    origin = _origin(task)
    return {
        "task": "replace_section",
        "taskId": origin.task,
        "clipId": origin.clip,
        "tags": task.tags or "",
        "title": task.title or "",
        "infillLyrics": task.prompt,
        "rangeStartS": _number(task.from_s),
        "rangeEndS": _number(task.to_s),
    }


def _merge(task: Compose, losses: Losses) -> dict[str, Any]:
    """A section that replaces another is put into the clip that it was made for; extensions are not joined there."""
    origin = _origin(task)
    if origin.action != "replace_section":
        raise losses.refuse("clip_id", "must be a clip that replaces a section: others cannot be joined there")
    return {"task": "replace_merge", "clipId": origin.part_of, "editSessionId": origin.clip}


def _origin(task: Compose) -> Origin:
    assert task.origin is not None, "the gateway looks clips up before it submits"
    return task.origin


def _number(decimal: str | None) -> Raw | None:
    return None if decimal is None else Raw(decimal.encode())
