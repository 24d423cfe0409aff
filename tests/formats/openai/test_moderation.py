import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokengate.core.errors import BadRequest
from tokengate.formats.openai.requests import read_moderation

TEXT: dict[str, Any] = {"type": "text", "text": "Nice?"}
PICTURE: dict[str, Any] = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


def read(input: Any) -> Any:
    return read_moderation(json.dumps({"model": "m", "input": input}).encode())


def test_texts_and_parts_are_counted() -> None:
    assert read("a").inputs == 1
    assert read(["a", "b"]).inputs == 2
    both = read([TEXT, PICTURE])
    assert (both.inputs, both.media.images, both.media.characters) == (2, 1, len("image_urldata:image/png;base64,AAAA"))


def test_a_request_without_a_model_means_the_vendors_own() -> None:
    assert read_moderation(b'{"input": "a"}').model == "omni-moderation-latest"


BAD: list[tuple[Any, str]] = [
    ("", "input"),
    ([], "input"),
    (None, "input"),
    (7, "input"),
    ({"text": "a"}, "input"),
    (["a", ""], "input"),
    (["a", TEXT], "input"),
    (["a"] * 2049, "input"),
    ([TEXT, "a"], "input[1]"),
    ([{"type": "text"}], "input[0].text"),
    ([TEXT, {"type": "video_url", "video_url": {"url": "x"}}], "input[1].type"),
    ([1], "input[0]"),
]


@pytest.mark.parametrize(("input", "param"), BAD)
def test_what_cannot_be_judged_is_refused_by_name(input: Any, param: str) -> None:
    with pytest.raises(BadRequest) as caught:
        read(input)

    assert caught.value.param == param


@settings(max_examples=100)
@given(data=st.data())
def test_what_is_mutated_is_read_or_refused(data: st.DataObject) -> None:
    body = bytearray(json.dumps({"model": "m", "input": [TEXT, PICTURE]}).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body) - 1))
        end = min(len(body), start + data.draw(st.integers(0, 12)))
        body[start:end] = data.draw(st.binary(max_size=4) | st.sampled_from([b"null", b'"', b"{", b"]", b"-7"]))

    with suppress(BadRequest):
        assert read_moderation(bytes(body)).inputs > 0
