"""The words of the reference as they are written in `data/`: what operations, parameters, replies, headers and errors
mean, in Chinese and English. Read once, when the first page or document is asked for.
"""

from datetime import datetime
from functools import cache
from importlib import resources
from typing import Literal

import msgspec
from msgspec import Struct

from tokengate.core.known import known

Lang = Literal["zh", "en"]


class Text(Struct, frozen=True, forbid_unknown_fields=True):
    """The same in both languages."""

    zh: str = ""
    en: str = ""

    def in_lang(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en


NO_TEXT = Text()
FORM_TYPE = "multipart/form-data"


class Field(Struct, frozen=True, forbid_unknown_fields=True):
    """One parameter, header or member of a reply. `type` joins alternatives with ` | `, such as `string | null`."""

    name: str = ""
    type: str = ""
    of: str = ""  # type of an array's items or an object's values, when they have no names
    required: bool = False
    nullable: bool = False  # null counts as absent, so pages do not show it
    default: str = ""
    enum: tuple[str, ...] = ()
    min: int | float | None = None
    max: int | float | None = None
    min_length: int | None = None  # of a string
    max_length: int | None = None
    min_items: int | None = None
    item_min: int | float | None = None  # range of an array's items or an object's values
    item_max: int | float | None = None
    format: str = ""
    example: str = ""
    zh: str = ""
    en: str = ""
    children: tuple["Field", ...] = ()

    def meaning(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en


class Example(Struct, frozen=True, forbid_unknown_fields=True):
    """A request body; `$model` stands for the model. A form is written as an object whose files are `@NAME`. With
    `capability`, for models that have it; with `kind`, only for models of that kind, and not on the operation's own
    page."""

    title: Text
    body: str
    content_type: str = ""  # the operation's, unless said
    body_en: str = ""
    capability: str = ""
    kind: str = ""

    def text(self, lang: Lang, model: str) -> str:
        """Return the body for a model in a language."""
        return (self.body_en if lang == "en" and self.body_en else self.body).strip().replace("$model", model)


class Reply(Struct, frozen=True, forbid_unknown_fields=True):
    """A successful answer. `fields` are its members when it is JSON."""

    status: int
    title: Text
    content_type: str = "application/json"
    fields: tuple[Field, ...] = ()
    example: str = ""
    example_en: str = ""
    by_capability: dict[str, str] = {}

    def text(self, lang: Lang, model: str, capability: str = "") -> str:
        """Return the example for a model in a language; a capability may have one of its own."""
        usual = self.example_en if lang == "en" and self.example_en else self.example
        return self.by_capability.get(capability, usual).strip().replace("$model", model)


class OperationWords(Struct, frozen=True, forbid_unknown_fields=True):
    """One operation. `parameters` are sections of the words for a body that a struct checks, `body` the fields of
    one that nothing checks yet; `files` are members that a form has as files; `errors` are classes of
    `core/errors.py`, or sets of them."""

    id: str
    title: Text
    summary: Text
    modified: datetime
    description: Text = NO_TEXT
    content_type: str = "application/json"
    parameters: tuple[str, ...] = ()
    path: tuple[Field, ...] = ()
    query: tuple[Field, ...] = ()
    body: tuple[Field, ...] = ()
    files: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    reply_headers: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    example: tuple[Example, ...] = ()
    reply: tuple[Reply, ...] = ()

    def type_of(self, example: Example) -> str:
        """Return the content type of an example."""
        return example.content_type or self.content_type

    def content_types(self) -> tuple[str, ...]:
        """Return the content types that bodies may have, that of the first example first."""
        return tuple(dict.fromkeys(map(self.type_of, self.example))) or (self.content_type,)


class Group(Struct, frozen=True, forbid_unknown_fields=True):
    """A family of operations: one file."""

    group: Text
    operation: tuple[OperationWords, ...]


class StatusWords(Struct, frozen=True, forbid_unknown_fields=True):
    """What an error class means and what to do."""

    title: Text
    meaning: Text
    remedy: Text


class HeaderSet(Struct, frozen=True, forbid_unknown_fields=True):
    fields: tuple[Field, ...]
    zh: str = ""


class _Headers(Struct, frozen=True, forbid_unknown_fields=True):
    request: dict[str, HeaderSet]
    response: dict[str, HeaderSet]


_GROUP = known(Group)
_PARAMETERS = known(dict[str, dict[str, Field]])
_STATUSES = known(dict[str, StatusWords])
_HEADERS = known(_Headers)


@cache
def groups() -> tuple[Group, ...]:
    """Return every family of operations, in the order of `_ORDER`."""
    return tuple(msgspec.toml.decode(_read(f"operations/{name}.toml"), type=_GROUP) for name in _ORDER)


_ORDER = ("openai", "account", "media", "jobs", "formats", "suno", "music", "running")


@cache
def operation_words() -> dict[str, OperationWords]:
    """Return the words of every operation by its id."""
    return {words.id: words for group in groups() for words in group.operation}


@cache
def group_of() -> dict[str, Text]:
    """Return the name of each operation's family by the operation's id."""
    return {words.id: group.group for group in groups() for words in group.operation}


@cache
def parameter_words() -> dict[str, dict[str, Field]]:
    """Return the words for checked parameters by section and name, in the order of pages."""
    text = resources.files("tokengate.formats.openai").joinpath("parameters.toml").read_bytes()
    return msgspec.toml.decode(text, type=_PARAMETERS)


@cache
def status_words() -> dict[str, StatusWords]:
    """Return the words for each error class by its name."""
    return msgspec.toml.decode(_read("statuses.toml"), type=_STATUSES)


@cache
def request_headers() -> dict[str, HeaderSet]:
    """Return the sets of request headers."""
    return _headers().request


@cache
def response_headers() -> dict[str, HeaderSet]:
    """Return the sets of response headers."""
    return _headers().response


@cache
def _headers() -> _Headers:
    return msgspec.toml.decode(_read("headers.toml"), type=_HEADERS)


def _read(name: str) -> bytes:
    return resources.files("tokengate.reference").joinpath("data", name).read_bytes()
