import base64

from hypothesis import given
from hypothesis import strategies as st

from tokengate.core.parts import Thinking
from tokengate.formats.gemini.signatures import UNVERIFIED, is_unverified, unwrap, wrap

FOREIGN = st.builds(
    Thinking,
    text=st.text(max_size=9),
    signature=st.text(min_size=1, max_size=40),
    format=st.sampled_from(["anthropic", "openai", "responses", "dashscope"]),
    redacted=st.booleans(),
    summary=st.booleans(),
    id=st.from_regex(r"([a-z0-9_-]{1,20})?", fullmatch=True),
)


@given(FOREIGN)
def test_another_vendors_proof_survives_a_gemini_client(thinking: Thinking) -> None:
    assert unwrap(thinking.text, wrap(thinking)) == thinking


@given(FOREIGN)
def test_it_survives_the_alphabet_that_the_sdk_writes(thinking: Thinking) -> None:
    sent = base64.urlsafe_b64encode(base64.b64decode(wrap(thinking))).decode()

    assert unwrap(thinking.text, sent) == thinking


@given(st.binary(min_size=1, max_size=60).map(lambda given: b"\x0a\x24" + given))
def test_googles_own_is_left_alone(given: bytes) -> None:
    signature = base64.b64encode(given).decode()

    assert wrap(Thinking("a", signature, "gemini")) == signature
    assert unwrap("a", signature) == Thinking("a", signature, "gemini")


@given(st.text(max_size=60))
def test_anything_may_come_back(signature: str) -> None:
    assert unwrap("a", signature).text == "a"


def test_the_dummy_is_known_in_both_spellings() -> None:
    assert is_unverified(UNVERIFIED)
    assert is_unverified(base64.b64encode(UNVERIFIED.encode()).decode())
    assert not is_unverified("c2ln")


def test_thinking_without_proof_has_no_signature() -> None:
    assert wrap(Thinking("a")) == ""
    assert wrap(Thinking("a", format="responses")) == ""
