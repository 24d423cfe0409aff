"""Forms with a file: what is sent is what a form's reader finds, byte for byte."""

import hashlib
from io import BytesIO
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from multipart import MultipartParser

from tokengate.core.upload import StoredFile, Upload

NAME = st.text('abc[]"_ é', min_size=1)
TEXT = st.text(st.characters(codec="utf-8"))


def stored(data: bytes, name: str = "a.wav") -> StoredFile:
    return StoredFile(name, "audio/wav", len(data), hashlib.sha256(data).hexdigest(), BytesIO(data))


@given(st.lists(st.tuples(NAME, TEXT), max_size=5), st.binary())
def test_form_is_read_as_it_was_meant(fields: list[tuple[str, str]], data: bytes) -> None:
    upload = Upload((*fields, ("model", "whisper-1")), stored(data))

    boundary = upload.content_type.partition("boundary=")[2]
    found: list[Any] = list(MultipartParser(BytesIO(b"".join(upload.pieces())), boundary))

    assert [(part.name, part.value) for part in found[:-1]] == list(upload.fields)
    assert (found[-1].name, found[-1].filename, found[-1].content_type) == ("file", "a.wav", "audio/wav")
    assert found[-1].raw == data


@given(st.binary(max_size=1_000_000))
def test_size_is_that_of_the_pieces(data: bytes) -> None:
    upload = Upload((("model", "whisper-1"), ("prompt", "你好")), stored(data, 'a"b.wav'))

    assert upload.size_bytes == len(b"".join(upload.pieces())) == len(b"".join(upload.pieces()))


def test_boundary_depends_on_the_fields_and_the_file() -> None:
    kinds = {
        Upload((("model", "a"),), stored(b"1")).content_type,
        Upload((("model", "b"),), stored(b"1")).content_type,
        Upload((("mode", "la"),), stored(b"1")).content_type,
        Upload((("model", "a"),), stored(b"2")).content_type,
    }

    assert len(kinds) == 4
