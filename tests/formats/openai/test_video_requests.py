import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokengate.core.errors import BadRequest
from tokengate.core.images import Size
from tokengate.core.parts import Data, Url
from tokengate.core.video import Film
from tokengate.formats.openai.form import FormPart
from tokengate.formats.openai.video_requests import json_of_film_form, read_edit, read_film, read_remix

ASK: dict[str, Any] = {"model": "sora-2", "prompt": "a cat"}


def read(**more: Any) -> Film:
    return read_film(json.dumps(ASK | more).encode())


def field(name: str, text: str) -> FormPart:
    return name, text.encode(), None, ""


def test_a_request_is_read_with_every_word():
    film = read(
        seconds="8",
        size="1280x720",
        input_reference={"image_url": "https://files.example.com/cat.png"},
        negative_prompt="dogs",
        seed=7,
        resolution="720P",
        generate_sound=True,
        prompt_extend=False,
        watermark=False,
    )

    assert film == Film(
        format="openai",
        model="sora-2",
        prompt="a cat",
        negative_prompt="dogs",
        first_frame=Url("https://files.example.com/cat.png"),
        seconds=8,
        size=Size(1280, 720),
        resolution="720P",
        has_sound=True,
        seed=7,
        extends_prompt=False,
        watermark=False,
        most_seconds=5,
    )


def test_what_is_left_out_is_left_to_the_vendor():
    film = read_film(b'{"prompt": "a cat", "seconds": null, "size": null, "input_reference": null}')

    assert film == Film(format="openai", model="sora-2", prompt="a cat", most_seconds=5)


def test_seconds_may_be_a_number():
    assert read(seconds=5).seconds == 5


def test_frames_say_how_long_it_shall_be():
    film = read(num_frames=81, fps=16)

    assert film.seconds == 6
    assert {name: bytes(value) for name, value in film.extra.items()} == {"num_frames": b"81", "fps": b"16"}


def test_a_picture_may_be_an_address_or_a_data_url():
    assert read(input_reference="https://a.example/b.png").first_frame == Url("https://a.example/b.png")
    assert read(input_reference="data:image/png;base64,QUJD").first_frame == Data("image/png", "QUJD")


def test_what_has_no_word_here_is_kept():
    extra = read(guidance_scale=4.5, user=None).extra

    assert {name: bytes(value) for name, value in extra.items()} == {"guidance_scale": b"4.5"}


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"model": ""}, "model", "must be a string of 1 to 200 characters"),
    ({"prompt": ""}, "prompt", "must be a text of 1 to 32000 characters"),
    ({"prompt": "x" * 32_001}, "prompt", "must be a text of 1 to 32000 characters"),
    ({"prompt": 7}, "prompt", "must be a text of 1 to 32000 characters"),
    ({"seconds": "0"}, "seconds", "must be a whole number of seconds from 1 to 60"),
    ({"seconds": "61"}, "seconds", "must be a whole number of seconds from 1 to 60"),
    ({"seconds": "4s"}, "seconds", "must be a whole number of seconds from 1 to 60"),
    ({"seconds": "٤"}, "seconds", "must be a whole number of seconds from 1 to 60"),
    ({"seconds": -4}, "seconds", "must be a whole number of seconds from 1 to 60"),
    ({"seconds": 4.5}, "seconds", "must be a whole number of seconds from 1 to 60"),
    ({"seconds": True}, "seconds", "must be a whole number of seconds from 1 to 60"),
    ({"size": "720p"}, "size", "must be such as 1280x720, with sides of up to 4096 pixels"),
    ({"size": "4097x720"}, "size", "must be such as 1280x720, with sides of up to 4096 pixels"),
    ({"size": "auto"}, "size", "must be such as 1280x720, with sides of up to 4096 pixels"),
    ({"resolution": "720p"}, "resolution", "must be one of 480P, 720P, 1080P"),
    ({"input_reference": 7}, "input_reference", "must be a picture, or an object with its image_url"),
    ({"input_reference": ""}, "input_reference", "must be an address, or a data URL in base64"),
    ({"input_reference": {}}, "input_reference.image_url", "is required"),
    ({"input_reference": {"file_id": "file-1"}}, "input_reference.file_id", "cannot be used here; send the picture"),
    ({"num_frames": 81, "seconds": "4"}, "num_frames", "either 'seconds' or 'num_frames'"),
    ({"num_frames": 3_600, "fps": 1}, "num_frames", "must come to at most 60 s"),
    ({"num_frames": 0}, "num_frames", "must be an integer from 1 to 3600"),
    ({"fps": 121}, "fps", "must be an integer from 1 to 120"),
    ({"width": 1280}, "width", "is not served here"),
    ({"lora": {"path": "/etc"}}, "lora", "is not served here"),
    ({"characters": [{"id": "char_1"}]}, "characters", "is not served here"),
    ({"Seconds": "4"}, "Seconds", "must be written 'seconds'"),
]


@pytest.mark.parametrize(("more", "param", "why"), BAD)
def test_what_makes_no_sense_is_refused_by_name(more: dict[str, Any], param: str, why: str):
    with pytest.raises(BadRequest) as caught:
        read(**more)

    assert caught.value.param == param
    assert why in caught.value.message


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"prompt": "a", "prompt": "b"}', b"\xff", b"[" * 5_000])
def test_what_is_no_request_is_a_bad_request(body: bytes):
    for read_one in (read_film, read_remix, read_edit):
        with pytest.raises(BadRequest):
            read_one(body)


@given(
    st.dictionaries(st.sampled_from(["model", "prompt", "seconds", "size", "seed", "fps"]), st.text() | st.integers())
)
@settings(max_examples=100)
def test_any_values_give_a_film_or_a_bad_request(more: dict[str, Any]):
    try:
        film = read(**more)
    except BadRequest as refusal:
        assert refusal.param
    else:
        assert film.seconds is None or 1 <= film.seconds <= 60


def test_a_form_says_the_same_as_json():
    body = json_of_film_form(
        [
            field("model", "sora-2"),
            field("prompt", "a cat"),
            field("seconds", "8"),
            field("seed", "-7"),
            field("watermark", "true"),
            field("guidance_scale", "4.5"),
            ("input_reference", b"ABC", "cat.png", "image/png"),
        ]
    )

    assert json.loads(body) == {
        "model": "sora-2",
        "prompt": "a cat",
        "seconds": "8",
        "seed": -7,
        "watermark": True,
        "guidance_scale": "4.5",
        "input_reference": "data:image/png;base64,QUJD",
    }


def test_members_of_an_object_have_fields_of_their_own():
    body = json_of_film_form([field("input_reference[image_url]", "https://a.example/b.png")])

    assert json.loads(body) == {"input_reference": {"image_url": "https://a.example/b.png"}}


@pytest.mark.parametrize(
    ("parts", "param"),
    [
        ([field("prompt", "a"), field("prompt", "b")], "prompt"),
        ([("prompt", b"a", "a.txt", "text/plain")], "prompt"),
        ([("prompt", b"\xff", None, "")], "prompt"),
        ([("input_reference[image_url]", b"a", "a.png", "image/png")], "input_reference[image_url]"),
    ],
)
def test_a_form_that_makes_no_sense_is_refused_by_name(parts: list[FormPart], param: str):
    with pytest.raises(BadRequest) as caught:
        json_of_film_form(parts)

    assert caught.value.param == param


def test_numbers_and_flags_that_are_none_are_refused_by_their_reader():
    for name in ("seed", "fps", "watermark"):
        with pytest.raises(BadRequest) as caught:
            read_film(json_of_film_form([field("prompt", "a cat"), field(name, "many")]))
        assert caught.value.param == name


def test_a_remix_and_an_edit_name_what_is_changed():
    assert read_remix(b'{"prompt": "a dog"}') == "a dog"
    assert read_edit(b'{"prompt": "a dog", "video": {"id": "video_1"}}') == ("video_1", "a dog")


def test_a_film_cannot_be_sent_to_be_edited():
    body = json_of_film_form([field("prompt", "a dog"), ("video", b"ABC", "cat.mp4", "video/mp4")])

    with pytest.raises(BadRequest) as caught:
        read_edit(body)

    assert caught.value.param == "video"
    assert "films are not taken" in caught.value.message
