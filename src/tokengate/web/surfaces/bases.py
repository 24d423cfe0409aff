"""The base paths of OpenAI's API, and what the product page of each shows differently from the others."""

from msgspec import Struct

from tokengate.web.errors import BadKeyWords


class Base(Struct, frozen=True):
    """One base path."""

    path: str
    usage_always: bool = False  # the last usage chunk of a stream comes without being asked for
    bad_key: BadKeyWords | None = None


BASES = (
    Base("/v1"),
    Base("/api/gpt/v1", usage_always=True, bad_key=BadKeyWords("Invalid API-KEY", None)),
    Base("/compatible-mode/v1"),
)
