"""What there is to show samples of: every operation that the gateway serves, with each example of its page; and how a
sample's answer is recognised. An operation that is served and is not listed here fails `test_kinds.py`.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tokengate.reference.words import operation_words

DOCS = Path(__file__).parents[2] / "docs"
PICTURES = sorted(str(path.relative_to(DOCS).with_suffix("")) for path in DOCS.rglob("*.png"))

Same = Callable[[bytes, bytes], bool]


class Kind(NamedTuple):
    """One example of an operation; operations without a body have one kind."""

    operation: str
    example: int = 0
    stream: bool = False

    @property
    def id(self) -> str:
        return f"{self.operation}-{self.example}"

    @property
    def shown(self) -> str:
        """What the page knows it by: whether an operation is verified does not depend on the example's words."""
        return f"{self.operation}:stream" if self.stream else self.operation

    @property
    def answerable(self) -> bool:
        """Whether there is something to ask for: pictures only once the documents have one."""
        return self.operation != "reference.picture" or bool(PICTURES)


# A chat that no page has: its text has every character that some language gives a meaning to.
AWKWARD = Kind("chat.completions", -1)
AWKWARD_TEXT = (
    'it\'s "q" $x ${y} #{z} `b` \\ \\n \\(w) %s %@ 100% \n\t 你好 😀 </script> {} ??/ /* (* "# "### '
    '""" \'\'\' |json} ]" )---" \\" JSON\nJSON\n'
)


def same_answer(printed: bytes, plain: bytes) -> bool:
    """Say whether what was printed is the answer, but for the blanks of JSON and for blank lines."""
    try:
        expected = _value(plain)
    except ValueError:
        return _lines(printed) == _lines(plain)
    return _value(printed) == expected


def same_file(printed: bytes, plain: bytes) -> bool:
    """Say whether every byte is the same."""
    return printed == plain


def same_metrics(printed: bytes, plain: bytes) -> bool:
    """Say whether the same metrics are there; their values go on."""
    return _names_of(printed) == _names_of(plain)


def same_upstreams(printed: bytes, plain: bytes) -> bool:
    """Say whether the same upstreams are there; their times go on."""
    names = [one["name"] for one in json.loads(printed)["upstreams"]]
    return names == [one["name"] for one in json.loads(plain)["upstreams"]] != []


def same_choices(printed: bytes, plain: bytes) -> bool:
    """Say whether a chat that the gateway headed itself says the same; its id is its own."""
    said, told = json.loads(printed), json.loads(plain)
    return said["choices"] == told["choices"] != [] and said["usage"] == told["usage"]


def same_message(printed: bytes, plain: bytes) -> bool:
    """Say whether a message says the same; its id is its own."""
    said, told = json.loads(printed), json.loads(plain)
    return said["content"] == told["content"] != [] and said["usage"] == told["usage"]


def same_quote(printed: bytes, plain: bytes) -> bool:
    """Say whether the same was quoted; the bounds look at the bytes of a body, blanks among them."""
    said, told = json.loads(printed), json.loads(plain)
    return all(said[name] == told[name] for name in ("model", "output_tokens", "price_version")) and (
        said["input_tokens"]["expected"] == told["input_tokens"]["expected"]
    )


SERVED: dict[str, Same] = {
    "chat.completions": same_answer,
    "apps.chat": same_choices,
    "completions": same_answer,
    "embeddings": same_answer,
    "anthropic.messages": same_message,
    "anthropic.count_tokens": same_answer,
    "models.list": same_answer,
    "models.show": same_answer,
    "balance": same_answer,
    "quote": same_quote,
    "usage.list": same_answer,
    "usage.show": same_answer,
    "health": same_answer,
    "readiness": same_answer,
    "metrics": same_metrics,
    "upstreams": same_upstreams,
    "reference.openapi": same_answer,
    "reference.collection": same_answer,
    "reference.llms": same_answer,
    "reference.page": same_answer,
    "reference.picture": same_file,
}


# Operations whose bodies reach the vendor as they are, and those that are answered without one.
FORWARDED = ("chat.completions", "completions", "embeddings")
UNSENT = ("quote", "anthropic.count_tokens")


def kinds() -> tuple[Kind, ...]:
    """Return every kind, in the order of the pages."""
    return tuple(_kinds())


def content_of(kind: Kind, plain: bytes) -> Any:
    """Return what an SDK's sample prints of an answer."""
    match kind:
        case Kind("chat.completions", stream=True):
            return "".join(_delta(line) for line in _lines(plain))
        case Kind("chat.completions") | Kind("apps.chat"):
            return json.loads(plain)["choices"][0]["message"]["content"]
        case Kind("completions"):
            return json.loads(plain)["choices"][0]["text"]
        case Kind("embeddings"):
            return json.loads(plain)["data"][0]["embedding"][:8]
        case Kind("models.list"):
            return "\n".join(model["id"] for model in json.loads(plain)["data"])
        case _:
            raise AssertionError(f"no SDK has {kind}")


def same_content(kind: Kind, printed: bytes, plain: bytes) -> bool:
    """Say whether an SDK's sample printed the answer's content."""
    text, expected = printed.decode().strip(), content_of(kind, plain)
    if isinstance(expected, str):
        return text == expected.strip() != ""
    found = json.loads(text)
    return len(found) == len(expected) and all(
        abs(one - other) < 1e-6 for one, other in zip(found, expected, strict=True)
    )


def _kinds() -> Iterator[Kind]:
    for operation in SERVED:
        examples = operation_words()[operation].example
        if not examples:
            yield Kind(operation)
        for number, example in enumerate(examples):
            yield Kind(operation, number, json.loads(example.body).get("stream") is True)


def _value(text: bytes) -> Any:
    return json.loads(text, parse_int=float)  # as JavaScript has numbers


def _lines(text: bytes) -> list[str]:
    return [line.rstrip() for line in text.decode().splitlines() if line.strip()]


def _names_of(text: bytes) -> set[str]:
    return {line for line in _lines(text) if line.startswith("# TYPE")}


def _delta(line: str) -> str:
    data = line.removeprefix("data: ")
    if data == "[DONE]":
        return ""
    choices: list[Any] = json.loads(data)["choices"]
    return (choices[0]["delta"].get("content") or "") if choices else ""
