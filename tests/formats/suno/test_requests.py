"""Requests for music, read: what each operation takes, what it needs, and what it refuses by name."""

import json
from typing import Any

import pytest

from tokengate.core.errors import BadRequest
from tokengate.core.music import Compose, MusicAction
from tokengate.formats.suno.requests import read_fetch, read_operation, read_submission

JOB = "0" * 31 + "a"
CLIP = f"clip_{JOB}_1"


def read(action: MusicAction, **body: Any) -> Compose:
    return read_operation(json.dumps(body).encode(), action)


def submitted(action: str, **body: Any) -> Compose:
    return read_submission(json.dumps(body).encode(), action)


def test_every_parameter_of_a_song_has_its_word():
    asked = read(
        "create",
        mv="chirp-auk",
        prompt="[Verse]\n月光",
        title="月光",
        tags="acoustic pop",
        negative_tags="metal",
        make_instrumental=False,
        vocal_gender="f",
        style_weight=0.65,
        weirdness_constraint=0.5,
        audio_weight=1,
        notify_hook="https://ours.example.com/done",
    )

    assert asked == Compose(
        format="suno",
        model="chirp-auk",
        action="create",
        prompt="[Verse]\n月光",
        title="月光",
        tags="acoustic pop",
        negative_tags="metal",
        custom=True,
        instrumental=False,
        vocal_gender="f",
        style_weight="0.65",
        weirdness="0.5",
        audio_weight="1",
        callback_url="https://ours.example.com/done",
    )


@pytest.mark.parametrize(
    ("body", "prompt", "custom"),
    [
        ({"prompt": "la la"}, "la la", True),
        ({"gpt_description_prompt": "a song about the moon"}, "a song about the moon", False),
        ({"gpt_description_prompt": "a song", "prompt": ""}, "a song", False),
        ({"prompt": "a song about the moon", "customMode": False}, "a song about the moon", False),
        ({"prompt": "", "tags": "jazz", "make_instrumental": True}, None, True),
        ({"prompt": None, "tags": "jazz", "instrumental": True}, None, True),
    ],
)
def test_words_are_lyrics_or_a_wish(body: dict[str, Any], prompt: str | None, custom: bool):
    asked = read("create", **body)

    assert (asked.prompt, asked.custom) == (prompt, custom)


def test_what_works_on_a_clip_names_it():
    assert read("extend", clip_id=CLIP, continue_at=90.5).continue_at_s == "90.5"
    section = read("replace_section", clip_id=CLIP, prompt="[Bridge]", infill_start_s=0, infill_end_s=12.25)
    assert (section.clip_id, section.from_s, section.to_s) == (CLIP, "0", "12.25")
    assert [
        read("stems", clip_id=CLIP, **more).stem for more in ({}, {"stem_task": "two"}, {"stem_task": "twelve"})
    ] == [
        "two",
        "two",
        "all",
    ]
    for action in ("cover", "concat", "midi", "mp4", "wav", "timing", "beats"):
        assert read(action, clip_id=CLIP, task_id=f"job_{JOB}").clip_id == CLIP


def test_what_works_on_an_upload_names_its_address():
    address = "https://files.example.com/mine.mp3"

    assert read("upload_cover", audio_url=address).upload_url == address
    assert read("upload_extend", url=address, continue_at=60).upload_url == address


def test_what_an_operation_does_not_know_is_kept_for_the_warning():
    asked = read("wav", clip_id=CLIP, prompt="la", foo=[1], bar=None)

    assert (asked.prompt, {name: bytes(raw) for name, raw in asked.extra.items()}) == (
        None,
        {"prompt": b'"la"', "foo": b"[1]"},
    )


@pytest.mark.parametrize(
    ("body", "action"),
    [
        ({"prompt": "la"}, "create"),
        ({"gpt_description_prompt": "a song", "generation_type": "TEXT"}, "create"),
        ({"continue_clip_id": CLIP, "continue_at": 3}, "extend"),
        ({"task": "extend", "continue_clip_id": CLIP, "continue_at": 3}, "extend"),
        ({"cover_clip_id": CLIP, "tags": "jazz"}, "cover"),
        ({"task": "cover", "cover_clip_id": CLIP}, "cover"),
        ({"task": "upload_cover", "url": "https://a.example/b.mp3"}, "upload_cover"),
        ({"task": "upload_extend", "url": "https://a.example/b.mp3", "continue_at": 1}, "upload_extend"),
        (
            {"task": "infill", "continue_clip_id": CLIP, "prompt": "x", "infill_start_s": 1, "infill_end_s": 2},
            "replace_section",
        ),
        ({"task": "gen_stem", "continue_clip_id": CLIP, "stem_task": "two"}, "stems"),
    ],
)
def test_the_widespread_shape_tells_the_operation_by_task(body: dict[str, Any], action: MusicAction):
    for path in ("music", "MUSIC"):
        asked = submitted(path, **body)
        assert (asked.action, asked.extra) == (action, {})


def test_the_widespread_shape_has_other_actions():
    assert submitted("lyrics", prompt="the moon").action == "lyrics"
    assert submitted("concat", clip_id=CLIP, is_infill=False).action == "concat"
    assert submitted("UPSAMPLE_TAGS", tags="pop").tags == "pop"
    with pytest.raises(BadRequest) as refused:
        submitted("VIDEO", prompt="x")
    assert refused.value.code == "invalid_action"


@pytest.mark.parametrize(
    ("action", "body", "param"),
    [
        ("create", {}, "prompt"),
        ("create", {"make_instrumental": True}, "tags"),
        ("create", {"prompt": "a", "gpt_description_prompt": "b"}, "gpt_description_prompt"),
        ("create", {"gpt_description_prompt": "b", "customMode": True}, "customMode"),
        ("create", {"prompt": "a" * 5001}, "prompt"),
        ("create", {"prompt": "a", "title": 1}, "title"),
        ("create", {"prompt": "a", "mv": "m" * 201}, "mv"),
        ("create", {"prompt": "a", "vocal_gender": "x"}, "vocal_gender"),
        ("create", {"prompt": "a", "style_weight": 0.655}, "style_weight"),
        ("create", {"prompt": "a", "style_weight": 1.01}, "style_weight"),
        ("create", {"prompt": "a", "make_instrumental": "yes"}, "make_instrumental"),
        ("create", {"prompt": "a", "notify_hook": "ours.example.com"}, "notify_hook"),
        ("create", {"prompt": "a", "callBackUrl": "ftp://ours.example.com"}, "callBackUrl"),
        ("extend", {"continue_at": 1}, "clip_id"),
        ("extend", {"clip_id": CLIP}, "continue_at"),
        ("extend", {"clip_id": CLIP, "continue_at": 0}, "continue_at"),
        ("extend", {"clip_id": CLIP, "continue_at": 1e-9}, "continue_at"),
        ("extend", {"clip_id": CLIP, "continue_at": 3601}, "continue_at"),
        ("cover", {"clip_id": CLIP, "cover_clip_id": "another"}, "clip_id"),
        ("cover", {"clip_id": CLIP, "task_id": "job_" + "b" * 32}, "task_id"),
        ("upload_cover", {}, "audio_url"),
        ("upload_cover", {"audio_url": "mine.mp3"}, "audio_url"),
        ("upload_extend", {"url": "data:audio/mp3;base64,", "continue_at": 1}, "url"),
        ("replace_section", {"clip_id": CLIP, "prompt": "x", "infill_end_s": 2}, "infill_start_s"),
        ("replace_section", {"clip_id": CLIP, "prompt": "x", "infill_start_s": 2}, "infill_end_s"),
        ("replace_section", {"clip_id": CLIP, "prompt": "x", "infill_start_s": 2, "infill_end_s": 2}, "infill_end_s"),
        ("replace_section", {"clip_id": CLIP, "infill_start_s": 1, "infill_end_s": 2}, "prompt"),
        ("stems", {"clip_id": CLIP, "stem_task": "four"}, "stem_task"),
        ("lyrics", {"prompt": ""}, "prompt"),
        ("tags", {}, "tags"),
    ],
)
def test_bad_parameters_are_refused_by_name(action: MusicAction, body: dict[str, Any], param: str):
    with pytest.raises(BadRequest) as refused:
        read(action, **body)

    assert refused.value.param == param


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"\xff", b'{"prompt":"a","prompt":"b"}', b"[" * 10_000])
def test_what_is_no_object_is_refused(body: bytes):
    with pytest.raises(BadRequest):
        read_operation(body, "create")


def test_ids_are_fetched_together_up_to_a_limit():
    assert read_fetch(b'{"ids":["a","b"],"action":"MUSIC"}') == ["a", "b"]
    for body in (b"{}", b'{"ids":"a"}', json.dumps({"ids": ["a"] * 101}).encode()):
        with pytest.raises(BadRequest) as refused:
            read_fetch(body)
        assert refused.value.param == "ids"
