"""The body of a request for music as a wire struct. null is the same as absent; ranges are said in words by `MUST_BE`.

https://docs.newapi.pro/api/suno-music and https://www.cqtai.com/docs/suno, 2026-11
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

MAX_NAME: Final = 200
MAX_ADDRESS: Final = 2000
MAX_TITLE: Final = 200  # characters; vendors allow less
MAX_TAGS: Final = 1000
MAX_PROMPT: Final = 5000
MAX_SECONDS: Final = 3600
MAX_FETCHED: Final = 100  # tasks in one request

_Name = Annotated[str, Meta(max_length=MAX_NAME)]
_Address = Annotated[str, Meta(max_length=MAX_ADDRESS)]
_Title = Annotated[str, Meta(max_length=MAX_TITLE)]
_Tags = Annotated[str, Meta(max_length=MAX_TAGS)]
_Prompt = Annotated[str, Meta(max_length=MAX_PROMPT)]
_Weight = Annotated[float, Meta(ge=0, le=1)]
_Second = Annotated[float, Meta(ge=0, le=MAX_SECONDS)]


class MusicBody(Struct, frozen=True, kw_only=True):
    """Every operation's parameters. `clip_id` has two other names where the operation is told by `task`."""

    mv: _Name | None = None
    model: _Name | None = None
    task: _Name | None = None
    prompt: _Prompt | None = None
    gpt_description_prompt: _Prompt | None = None
    title: _Title | None = None
    tags: _Tags | None = None
    negative_tags: _Tags | None = None
    make_instrumental: bool | None = None
    instrumental: bool | None = None
    customMode: bool | None = None
    vocal_gender: Literal["m", "f", ""] | None = None
    style_weight: _Weight | None = None
    weirdness_constraint: _Weight | None = None
    audio_weight: _Weight | None = None
    clip_id: _Name | None = None
    continue_clip_id: _Name | None = None
    cover_clip_id: _Name | None = None
    task_id: _Name | None = None
    continue_at: _Second | None = None
    infill_start_s: _Second | None = None
    infill_end_s: _Second | None = None
    audio_url: _Address | None = None
    url: _Address | None = None
    stem_task: Literal["two", "all", "twelve"] | None = None
    is_infill: bool | None = None
    generation_type: Literal["TEXT"] | None = None
    notify_hook: _Address | None = None
    callBackUrl: _Address | None = None


class FetchBody(Struct, frozen=True):
    """`POST /suno/fetch`."""

    ids: Annotated[list[_Name], Meta(max_length=MAX_FETCHED)]
    action: _Name | None = None


_WEIGHT: Final = "a number from 0 to 1 with at most two decimals"
_TIME: Final = f"a number of seconds above 0, at most {MAX_SECONDS}, with at most three decimals"
_ADDRESS: Final = f"an address such as https://files.example.com/a.mp3, of at most {MAX_ADDRESS} characters"

MUST_BE: Final = {
    "prompt": f"a string of at most {MAX_PROMPT} characters",
    "gpt_description_prompt": f"a string of at most {MAX_PROMPT} characters",
    "title": f"a string of at most {MAX_TITLE} characters",
    "tags": f"a string of at most {MAX_TAGS} characters",
    "negative_tags": f"a string of at most {MAX_TAGS} characters",
    "vocal_gender": "m or f",
    "style_weight": _WEIGHT,
    "weirdness_constraint": _WEIGHT,
    "audio_weight": _WEIGHT,
    "continue_at": _TIME,
    "infill_start_s": f"a number of seconds from 0 to {MAX_SECONDS}, with at most three decimals",
    "infill_end_s": _TIME,
    "audio_url": _ADDRESS,
    "url": _ADDRESS,
    "notify_hook": _ADDRESS,
    "callBackUrl": _ADDRESS,
    "stem_task": "two or all",
    "generation_type": "TEXT",
    "ids": f"a list of at most {MAX_FETCHED} ids of tasks",
}
