"""The compact form of a tokenizer's ranks, as it is written and read."""

import lzma

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.catalog.tokens.tokenizer import tokens_of
from tools.extract_tokenizers import DATA, SOURCES, of_letters, pack, read_llama, sources_page

BYTES = [bytes([byte]) for byte in range(256)]


@given(st.lists(st.binary(min_size=2, max_size=255), unique=True, max_size=20))
def test_what_is_packed_is_read_again_in_order(longer: list[bytes]) -> None:
    tokens = BYTES + longer

    assert list(tokens_of(lzma.decompress(pack(tokens)))) == tokens


@pytest.mark.parametrize("tokens", [BYTES[1:], [*BYTES, b"a"], [*BYTES, b""], [*BYTES, b"a" * 256]])
def test_what_is_no_vocabulary_of_bytes_is_refused(tokens: list[bytes]) -> None:
    with pytest.raises(SystemExit):
        pack(tokens)


def test_letters_stand_for_bytes() -> None:
    assert of_letters("Ġworld") == b" world"
    assert of_letters("ä½łå¥½") == "你好".encode()
    assert read_llama(b'const llama_vocab_base64 = "YQrEoGI=";') == [b"a", b" b"]


def test_every_file_in_the_tree_names_its_source() -> None:
    assert {file.stem for file in DATA.glob("*.xz")} == set(SOURCES)
    assert (DATA / "SOURCES.md").read_text() == sources_page()
