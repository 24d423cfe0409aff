"""Requests for music, read into the vocabulary: a path per operation under `/suno/v2`, or the widespread
`/suno/submit/{action}`, where `task` says more.

Lyrics come as `prompt`; a wish in words comes as `gpt_description_prompt`, or as `prompt` with `customMode` false.
What an operation does not know stays in `extra`, and the caller is warned of it.
"""

import re
from collections.abc import Callable
from typing import Final, Literal, TypeVar

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from tokengate.core.errors import BadRequest
from tokengate.core.music import Compose, MusicAction
from tokengate.core.splice import Members, read_members
from tokengate.formats.suno.ids import read_clip_id
from tokengate.formats.suno.parameters import MAX_NAME, MUST_BE, FetchBody, MusicBody

NAME: Final = "suno"
DEFAULT_MODEL: Final = "sunoV2"

# What the words of the vocabulary are called here, where that differs.
NAMES: Final = {
    "model": "mv",
    "instrumental": "make_instrumental",
    "weirdness": "weirdness_constraint",
    "continue_at_s": "continue_at",
    "from_s": "infill_start_s",
    "to_s": "infill_end_s",
    "upload_url": "audio_url",
    "stem": "stem_task",
}

_ALWAYS: Final = frozenset({"mv", "model", "notify_hook", "callBackUrl"})
_STYLE: Final = frozenset({"title", "tags", "negative_tags"})
_MAKES: Final = _STYLE | {
    "prompt",
    "gpt_description_prompt",
    "make_instrumental",
    "instrumental",
    "customMode",
    "vocal_gender",
    "style_weight",
    "weirdness_constraint",
    "audio_weight",
    "generation_type",
}
_CLIP_NAMES: Final = ("clip_id", "continue_clip_id", "cover_clip_id")
_OF_CLIP: Final = frozenset({*_CLIP_NAMES, "task_id"})
_UPLOAD: Final = frozenset({"audio_url", "url"})

_KNOWN: Final[dict[MusicAction, frozenset[str]]] = {
    "create": _MAKES,
    "extend": _MAKES | _OF_CLIP | {"continue_at"},
    "cover": _MAKES | _OF_CLIP,
    "upload_extend": _MAKES | _UPLOAD | {"continue_at"},
    "upload_cover": _MAKES | _UPLOAD,
    "replace_section": _STYLE | _OF_CLIP | {"prompt", "infill_start_s", "infill_end_s"},
    "concat": _OF_CLIP | {"is_infill"},
    "stems": _OF_CLIP | {"stem_task"},
    "midi": _OF_CLIP,
    "lyrics": frozenset({"prompt"}),
    "mp4": _OF_CLIP,
    "wav": _OF_CLIP,
    "timing": _OF_CLIP,
    "beats": _OF_CLIP,
    "tags": frozenset({"tags"}),
}
_TASKS: Final[dict[str, MusicAction]] = {
    "create": "create",
    "extend": "extend",
    "cover": "cover",
    "upload_extend": "upload_extend",
    "upload_cover": "upload_cover",
    "infill": "replace_section",
    "gen_stem": "stems",
}
_ACTIONS: Final[dict[str, MusicAction]] = {"lyrics": "lyrics", "concat": "concat", "upsample_tags": "tags"}

_FIELDS: Final = frozenset(MusicBody.__struct_fields__)
_WEIGHT_DIGITS: Final = 2  # behind the point, as vendors take them
_TIME_DIGITS: Final = 3
_TYPE_WORDS: Final = {"bool": "true or false", "str": "a string", "array": "a list", "float": "a number"}

_at = re.compile(r" - at `\$\.([a-zA-Z_]+)").search
_lacking = re.compile(r"required field `([^`]+)`").search
_expected = re.compile(r"^Expected `([^`]+)`").search
_is_address = re.compile(r"https?://[^\s/]\S*").fullmatch
_decode_music = msgspec.json.Decoder(MusicBody).decode
_decode_fetch = msgspec.json.Decoder(FetchBody).decode

Wire = TypeVar("Wire", MusicBody, FetchBody)


def read_operation(body: bytes, action: MusicAction) -> Compose:
    """Read the body of an operation under `/suno/v2`. `model` is empty when the caller named none. Raises
    BadRequest."""
    wire, members = _read(body, _decode_music)
    return _compose(wire, members, action, "mv")


def read_submission(body: bytes, action: str) -> Compose:
    """Read the body of `POST /suno/submit/{action}`. Raises BadRequest."""
    wire, members = _read(body, _decode_music)
    found = _music(wire) if action.lower() == "music" else _ACTIONS.get(action.lower())
    if found is None:
        raise BadRequest(
            f"There is no action '{action[:40]}'; there are music, lyrics, concat and upsample_tags.",
            param="action",
            code="invalid_action",
        )
    return _compose(wire, members, found, "task")


def read_fetch(body: bytes) -> list[str]:
    """Read the body of `POST /suno/fetch`: ids of tasks. Raises BadRequest."""
    wire, _ = _read(body, _decode_fetch)
    return wire.ids


def _music(wire: MusicBody) -> MusicAction:
    """Return what a request for music asks for: `task` says it, or else a clip that is named."""
    if not wire.task:
        return "extend" if wire.continue_clip_id else "cover" if wire.cover_clip_id else "create"
    found = _TASKS.get(wire.task)
    if found is None:
        raise _must_be("task", f"one of {', '.join(_TASKS)}")
    return found


def _read(body: bytes, decode: Callable[[bytes], Wire]) -> tuple[Wire, Members]:
    members = read_members(body)
    try:
        return decode(body), members
    except msgspec.ValidationError as error:
        raise _refusal_of(str(error)) from None
    except (ValueError, RecursionError):
        raise BadRequest("The request body is not valid JSON.") from None


def _compose(wire: MusicBody, members: Members, action: MusicAction, told_by: Literal["mv", "task"]) -> Compose:
    known = _KNOWN[action] | _ALWAYS | {told_by}
    others = {name: Raw(members.get(name) or b"null") for name in members if name not in known}
    # A parameter of another operation says nothing here.
    wire = replace(wire, **{name: None for name in others if name in _FIELDS})
    prompt, custom = _words(wire)
    instrumental = wire.instrumental if wire.make_instrumental is None else wire.make_instrumental
    _require_words(action, wire, prompt, silent=custom and instrumental is True)
    from_s, to_s = _section(wire) if action == "replace_section" else (None, None)
    return Compose(
        format=NAME,
        model=wire.mv or wire.model or "",
        action=action,
        prompt=prompt,
        title=wire.title or None,
        tags=wire.tags or None,
        negative_tags=wire.negative_tags or None,
        custom=custom,
        instrumental=instrumental,
        vocal_gender=wire.vocal_gender or None,
        style_weight=_weight("style_weight", wire.style_weight),
        weirdness=_weight("weirdness_constraint", wire.weirdness_constraint),
        audio_weight=_weight("audio_weight", wire.audio_weight),
        clip_id=_clip(wire) if known >= _OF_CLIP else None,
        continue_at_s=_continue_at(wire) if "continue_at" in known else None,
        from_s=from_s,
        to_s=to_s,
        upload_url=_upload(wire) if known >= _UPLOAD else None,
        stem=_stem(wire) if action == "stems" else None,
        callback_url=_hook(wire),
        extra={name: raw for name, raw in others.items() if bytes(raw) != b"null"},
    )


def _words(wire: MusicBody) -> tuple[str | None, bool]:
    """Return the words, and whether they are the lyrics themselves."""
    if wire.gpt_description_prompt:
        if wire.prompt:
            raise BadRequest("Send either 'prompt' or 'gpt_description_prompt'.", param="gpt_description_prompt")
        if wire.customMode:
            raise BadRequest("Lyrics go into 'prompt'; 'customMode' takes no description.", param="customMode")
        return wire.gpt_description_prompt, False
    return wire.prompt or None, wire.customMode is not False


def _require_words(action: MusicAction, wire: MusicBody, prompt: str | None, *, silent: bool) -> None:
    if action == "create" and silent:
        if not wire.tags:
            raise _missing("tags", "music without words needs a style")
    elif action in ("create", "lyrics", "replace_section") and not prompt:
        raise _missing("prompt")
    elif action == "tags" and not wire.tags:
        raise _missing("tags")


def _clip(wire: MusicBody) -> str:
    given = {name: text for name in _CLIP_NAMES if (text := getattr(wire, name))}
    if not given:
        raise _missing("clip_id")
    if len(set(given.values())) > 1:
        raise BadRequest(f"Name one clip, not {' and '.join(given)}.", param=next(iter(given)))
    ((name, text), *_) = given.items()
    found = read_clip_id(text)
    if wire.task_id and found is not None and wire.task_id != found.job_id:
        raise BadRequest(f"'{name}' is not a clip of this task.", param="task_id")
    return text


def _continue_at(wire: MusicBody) -> str:
    if wire.continue_at is None:
        raise _missing("continue_at")
    if not wire.continue_at:
        raise _must_be("continue_at")
    return _decimal("continue_at", wire.continue_at, _TIME_DIGITS)


def _section(wire: MusicBody) -> tuple[str, str]:
    start, end = wire.infill_start_s, wire.infill_end_s
    if start is None:
        raise _missing("infill_start_s")
    if end is None:
        raise _missing("infill_end_s")
    if start >= end:
        raise _must_be("infill_end_s", "later than infill_start_s")
    return _decimal("infill_start_s", start, _TIME_DIGITS), _decimal("infill_end_s", end, _TIME_DIGITS)


def _upload(wire: MusicBody) -> str:
    name = "url" if wire.url and not wire.audio_url else "audio_url"
    address = wire.audio_url or wire.url
    if not address:
        raise _missing(name)
    if not _is_address(address):
        raise _must_be(name)
    return address


def _stem(wire: MusicBody) -> Literal["two", "all"]:
    return "two" if wire.stem_task in (None, "two") else "all"


def _hook(wire: MusicBody) -> str:
    name = "callBackUrl" if wire.callBackUrl and not wire.notify_hook else "notify_hook"
    address = wire.notify_hook or wire.callBackUrl or ""
    if address and not _is_address(address):
        raise _must_be(name)
    return address


def _weight(name: str, value: float | None) -> str | None:
    return None if value is None else _decimal(name, value, _WEIGHT_DIGITS)


def _decimal(name: str, value: float, digits: int) -> str:
    """Return a number as people write it. Raises BadRequest when it has more digits behind the point."""
    if round(value, digits) != value:
        raise _must_be(name)
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")


def _must_be(param: str, what: str | None = None) -> BadRequest:
    return BadRequest(f"'{param}' must be {what or MUST_BE[param]}.", param=param)


def _missing(param: str, why: str = "") -> BadRequest:
    reason = f": {why}" if why else ""
    return BadRequest(f"'{param}' is required{reason}.", param=param, code="missing_required_parameter")


def _refusal_of(text: str) -> BadRequest:
    """Return what the caller is told about a value of the wrong type or range."""
    found = _at(text)
    if found is None:
        absent = _lacking(text)
        return _missing(absent[1]) if absent else BadRequest("The request body must be a JSON object.")
    param = found[1]
    if param in MUST_BE:
        return _must_be(param)
    if "of length" in text:
        return _must_be(param, f"a string of at most {MAX_NAME} characters")
    expected = _expected(text)
    kinds = [_TYPE_WORDS.get(kind, kind) for kind in expected[1].split(" | ") if kind != "null"] if expected else []
    return _must_be(param, " or ".join(kinds) or "of another kind")
