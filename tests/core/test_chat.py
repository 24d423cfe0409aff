"""The vocabulary's chat."""

from tokengate.core.chat import Message, Role, instructions_first
from tokengate.core.parts import Text


def turn(role: Role, *texts: str) -> Message:
    return Message(role, tuple(map(Text, texts)))


def test_instructions_among_other_turns_are_put_together_at_the_beginning() -> None:
    said = (
        turn("system", "a"),
        turn("user", "b"),
        turn("developer", "c", "d"),
        turn("assistant", "e"),
        turn("system", "f"),
    )

    assert instructions_first(said) == (turn("system", "a", "c", "d", "f"), turn("user", "b"), turn("assistant", "e"))
    assert instructions_first(said[1:3]) == (turn("developer", "c", "d"), turn("user", "b"))


def test_instructions_at_the_beginning_stay_as_they_are() -> None:
    for said in ((), (turn("user", "a"),), (turn("system", "a"), turn("developer", "b"), turn("user", "c"))):
        assert instructions_first(said) is said
