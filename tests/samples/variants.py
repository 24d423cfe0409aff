"""Every language and library that samples are written in, and how its samples are verified: run, or, where there is
nothing to build them with, their request is read out of them and replayed.
"""

from typing import Literal, NamedTuple

from tests.samples.kinds import Kind, kinds

How = Literal["run", "replayed"]

_SDK = (
    "chat.completions",
    "apps.chat",
    "completions",
    "embeddings",
    "images.generations",
    "responses",
    "models.list",
)
_ANTHROPIC = ("anthropic.messages",)
_GOOGLE = ("gemini.generate", "gemini.stream")
_DASHSCOPE = ("dashscope.text", "dashscope.multimodal")
_LANGCHAIN = ("chat.completions", "apps.chat", "embeddings")


class Variant(NamedTuple):
    """A language with a library. `slow` needs toolchains that only `make check-all` wants; `operations` are those
    that the library has (none: any), and then it prints the answer's content instead of the answer."""

    language: str
    library: str
    how: How = "run"
    slow: bool = False
    operations: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return f"{self.language}.{self.library}"

    @property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple(kind for kind in kinds() if self.has(kind))

    def has(self, kind: Kind) -> bool:
        """Say whether the library can ask for it."""
        return not self.operations or kind.operation in self.operations


VARIANTS: tuple[Variant, ...] = (
    Variant("shell", "curl"),
    Variant("javascript", "fetch"),
    Variant("javascript", "axios"),
    Variant("javascript", "openai", operations=_SDK),
    Variant("javascript", "anthropic", operations=_ANTHROPIC),
    Variant("javascript", "google", operations=_GOOGLE),
    Variant("java", "okhttp", slow=True),
    Variant("java", "httpclient", slow=True),
    Variant("swift", "urlsession", "replayed"),
    Variant("go", "net-http", slow=True),
    Variant("php", "guzzle", slow=True),
    Variant("php", "curl", slow=True),
    Variant("python", "requests"),
    Variant("python", "openai", operations=_SDK),
    Variant("python", "langchain", operations=_LANGCHAIN),
    Variant("python", "anthropic", operations=_ANTHROPIC),
    Variant("python", "google", operations=_GOOGLE),
    Variant("python", "dashscope", operations=_DASHSCOPE),
    Variant("http", "http1.1", "replayed"),
    Variant("c", "libcurl", slow=True),
    Variant("csharp", "httpclient", "replayed"),
    Variant("csharp", "restsharp", "replayed"),
    Variant("objective-c", "nsurlsession", "replayed"),
    Variant("ruby", "net-http", slow=True),
    Variant("ocaml", "cohttp", "replayed"),
    Variant("dart", "http", "replayed"),
    Variant("r", "httr", slow=True),
    Variant("rust", "reqwest", "replayed"),
)

RUN_AT_ONCE = tuple(variant for variant in VARIANTS if variant.how == "run" and not variant.slow)
RUN_WITH_TOOLCHAINS = tuple(variant for variant in VARIANTS if variant.slow)
REPLAYED = tuple(variant for variant in VARIANTS if variant.how == "replayed")


def cases(variants: tuple[Variant, ...]) -> list[tuple[Variant, Kind]]:
    """Return each variant with each of its kinds that can be asked for, for a test's parameters."""
    return [(variant, kind) for variant in variants for kind in variant.kinds if kind.answerable]


def case_id(value: object) -> str:
    """Return what a test's report calls a parameter."""
    assert isinstance(value, Variant | Kind)
    return value.id
