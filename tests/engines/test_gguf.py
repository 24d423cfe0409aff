import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engines.support import DATA
from tokengate.engines.gguf import BadGguf, GgufFacts, read_facts
from tokengate.engines.weights import weights_path


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def head(version: int = 3) -> bytes:
    """Return the head of a small model, with arrays before what is looked for."""
    facts = [
        text("general.architecture") + struct.pack("<I", 8) + text("llama"),
        text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("bc"),
        text("tokenizer.ggml.scores") + struct.pack("<IIQ", 9, 6, 2) + struct.pack("<ff", 1, 2),
        text("llama.context_length") + struct.pack("<II", 4, 4096),
        text("general.name") + struct.pack("<I", 8) + text("Small"),
        text("tokenizer.chat_template") + struct.pack("<I", 8) + text("{{ tools }}"),
    ]
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(facts)) + b"".join(facts)


def test_facts_are_read_past_arrays(tmp_path: Path) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(head())

    facts = read_facts(path)

    assert facts == GgufFacts("llama", "Small", 4096, "{{ tools }}")
    assert facts.knows_tools


def test_the_real_model_says_what_it_is(smollm2: None) -> None:
    facts = read_facts(weights_path(DATA))

    assert (facts.architecture, facts.context, facts.knows_tools) == ("llama", 8192, False)


@pytest.mark.parametrize("content", [b"", b"GGU", b"PK\x03\x04" + b"x" * 100, head(version=9)])
def test_what_is_no_gguf_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.gguf"
    path.write_bytes(content)

    with pytest.raises(BadGguf, match=r"x\.gguf"):
        read_facts(path)


@given(cut=st.integers(0, len(head()) - 1))
def test_a_head_cut_anywhere_is_refused(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("gguf") / "x.gguf"
    path.write_bytes(head()[:cut])

    with pytest.raises(BadGguf):
        read_facts(path)


@given(data=st.binary(max_size=200))
def test_any_bytes_give_facts_or_a_refusal(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("gguf") / "x.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 3) + data)

    try:
        facts = read_facts(path)
    except BadGguf:
        return
    assert isinstance(facts, GgufFacts)
