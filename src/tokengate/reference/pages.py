"""What a page of the reference consists of, and how an operation's page is made from its row, words and model."""

from collections.abc import Iterable
from typing import Literal
from urllib.parse import quote

from msgspec import Struct

from tokengate.catalog.model import Model
from tokengate.reference.checked import body_fields
from tokengate.reference.error_shapes import error_example
from tokengate.reference.errors import statuses_of
from tokengate.reference.guides import Heading
from tokengate.reference.running import PageStatus, Running
from tokengate.reference.schema import indented
from tokengate.reference.table import ApiOperation, ErrorShape
from tokengate.reference.words import (
    Example,
    Field,
    Lang,
    OperationWords,
    operation_words,
    request_headers,
)

PageKind = Literal["endpoint", "guide", "reference"]

_MANY = 2**31 - 1  # a limit that is only what fits is no range to show
_MASKED = "Bearer ********************"
_KEY = "$TOKENGATE_API_KEY"


class Link(Struct, frozen=True):
    """A way to another page; a folder of the tree has no slug."""

    title: str
    slug: str | None = None


class Parameter(Struct, frozen=True, rename={"place": "in"}):
    """One parameter as pages show it."""

    place: Literal["header", "path", "query", "body", "reply"]
    name: str
    type: str
    required: bool
    default: str
    range: str
    enum: tuple[str, ...]
    meaning: str
    children: tuple["Parameter", ...] = ()


class RequestExample(Struct, frozen=True):
    title: str
    body: str
    content_type: str = "application/json"


class Answer(Struct, frozen=True):
    """One way in which the operation answers."""

    status: int
    title: str
    content_type: str
    example: str
    meaning: str = ""
    remedy: str = ""
    fields: tuple[Parameter, ...] = ()


class SampleRequest(Struct, frozen=True):
    """What code samples send. The key is a placeholder that a shell fills in; a page puts its own there."""

    method: str
    path: str
    headers: dict[str, str]
    body: str | None


class Way(Struct, frozen=True):
    """The same call in the format of one SDK. `guide` is the page about that SDK."""

    format: str
    title: str
    operation: str
    slug: str
    guide: str | None


class Auth(Struct, frozen=True):
    """How the operation is authorised."""

    type: str
    header: str
    example: str


class Page(Struct, frozen=True):
    """One page. `markdown` is all of a guide or a generated reference; endpoints have the rest, too."""

    slug: str
    kind: PageKind
    title: str
    lang: Lang
    breadcrumb: tuple[Link, ...]
    markdown: str
    modified_ms: int
    summary: str = ""
    headings: tuple[Heading, ...] = ()
    previous: Link | None = None
    next: Link | None = None
    operation: str | None = None
    model: str | None = None
    status: PageStatus | None = None
    method: str | None = None
    path: str | None = None
    auth: Auth | None = None
    base_urls: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    content_type: str = "application/json"
    files: tuple[str, ...] = ()  # members of the body that a form has as files
    request_example: str | None = None
    request_examples: tuple[RequestExample, ...] = ()
    responses: tuple[Answer, ...] = ()
    sample_request: SampleRequest | None = None
    ways: tuple[Way, ...] = ()  # this call in every format that is served, its own among them
    others: tuple[Link, ...] = ()  # other operations that call the same model
    description: str = ""


class Written(Struct, frozen=True):
    """Where a page stands: its title, the folders above it, and its neighbours."""

    title: str
    breadcrumb: tuple[Link, ...] = ()
    previous: Link | None = None
    next: Link | None = None


def endpoint_page(
    slug: str,
    operation: ApiOperation,
    model: Model | None,
    place: Written,
    running: Running,
    *,
    server: str,
    lang: Lang,
    ways: tuple[Way, ...] = (),
    others: tuple[Link, ...] = (),
) -> Page:
    """Return the page of an operation, for a model if one is named. Its Markdown is left to `markdown.py`."""
    words = operation_words()[operation.id]
    name = model.id if model else running.example_model(operation)
    examples = tuple(
        RequestExample(example.title.in_lang(lang), example.text(lang, name), words.type_of(example))
        for example in _fitting(words.example, model)
    )
    bases = running.bases(operation)
    path = bases[0] + operation.path
    sampled = path.replace("{model}", name)
    if model is not None:
        path = sampled
    return Page(
        slug=slug,
        kind="endpoint",
        title=place.title,
        lang=lang,
        breadcrumb=place.breadcrumb,
        markdown="",
        modified_ms=_modified_ms(words, model),
        summary=words.summary.in_lang(lang),
        previous=place.previous,
        next=place.next,
        operation=operation.id,
        model=model.id if model else None,
        status=running.status(operation, model),
        method=operation.method,
        path=path,
        auth=_auth(operation),
        base_urls=tuple(server + base for base in bases),
        parameters=_parameters(operation, words, lang),
        content_type=", ".join(words.content_types()),
        files=words.files,
        request_example=examples[0].body if examples else None,
        request_examples=examples,
        responses=tuple(_answers(words, operation.errors, model, name, lang)),
        sample_request=_sample(operation, words, sampled, examples),
        ways=ways,
        others=others,
        description=words.description.in_lang(lang),
    )


def shown(place: Literal["header", "path", "query", "body", "reply"], field: Field, lang: Lang) -> Parameter:
    """Return a field as pages show it."""
    return Parameter(
        place=place,
        name=field.name,
        type=_shown_type(field),
        required=field.required,
        default=field.default,
        range=range_text(field, lang),
        enum=field.enum,
        meaning=field.meaning(lang),
        children=tuple(shown(place, child, lang) for child in field.children),
    )


def range_text(field: Field, lang: Lang) -> str:
    """Return what values are taken, such as `0 – 2`; empty when the type says it all."""
    if field.min is not None or field.max is not None:
        return _interval(field.min, field.max)
    if field.min_length is not None or field.max_length is not None:
        unit = " 个字符" if lang == "zh" else " characters"
        return _interval(field.min_length, field.max_length) + unit
    if field.item_min is not None or field.item_max is not None:
        return _interval(field.item_min, field.item_max)
    if field.min_items:
        return f"≥ {field.min_items}" + (" 项" if lang == "zh" else " items" if field.min_items > 1 else " item")
    return ""


def _interval(low: float | None, high: float | None) -> str:
    if high is None or high == _MANY:
        return f"≥ {low or 0:g}"
    if low is None:
        return f"≤ {_number(high)}"
    return f"{_number(low)} – {_number(high)}"


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:g}"


def _shown_type(field: Field) -> str:
    if field.of and field.type.startswith("array"):
        return field.type.replace("array", f"array of {field.of}", 1)
    return field.type


def _fitting(examples: Iterable[Example], model: Model | None) -> list[Example]:
    """Return the examples for a model, in the order of its capabilities; all of them when none is named, but for those
    of another kind of model."""
    kind = model.kind if model else ""
    listed = [example for example in examples if example.kind in ("", kind)]
    if model is None:
        return listed
    able = [example for capability in model.capabilities for example in listed if example.capability == capability]
    general = [example for example in listed if not example.capability]
    return able + general or listed[:1]


def _auth(operation: ApiOperation) -> Auth | None:
    match operation.auth:
        case "bearer":
            return Auth("bearer", "Authorization", _MASKED)
        case "x-api-key" | "x-goog-api-key":
            return Auth("key", operation.auth, _MASKED.removeprefix("Bearer "))
        case "none":
            return None


def _parameters(operation: ApiOperation, words: OperationWords, lang: Lang) -> tuple[Parameter, ...]:
    headers = [field for name in words.headers for field in request_headers()[name].fields]
    return (
        *(shown("header", field, lang) for field in headers),
        *(shown("path", field, lang) for field in words.path),
        *(shown("query", field, lang) for field in words.query),
        *(shown("body", field, lang) for field in body_fields(operation, words)),
    )


def _answers(words: OperationWords, errors: ErrorShape, model: Model | None, name: str, lang: Lang) -> Iterable[Answer]:
    capability = _example_capability(words, model)
    for reply in words.reply:
        fields = tuple(shown("reply", field, lang) for field in reply.fields)
        title, kind = reply.title.in_lang(lang), reply.content_type
        yield Answer(reply.status, title, kind, reply.text(lang, name, capability), fields=fields)
    for status in statuses_of(words.errors):
        said = status.words
        yield Answer(
            status.status,
            said.title.in_lang(lang),
            "application/json",
            indented(error_example(status, errors)),
            said.meaning.in_lang(lang),
            said.remedy.in_lang(lang),
        )


def _example_capability(words: OperationWords, model: Model | None) -> str:
    """Return which capability's reply to show: of the first example's request, or of how the model thinks."""
    if model is None:
        return ""
    own = {capability for reply in words.reply for capability in reply.by_capability}
    first = _fitting(words.example, model)
    if first and first[0].capability in own:
        return first[0].capability
    return next((capability for capability in model.capabilities if capability in own), "") if _plain(first) else ""


def _plain(examples: list[Example]) -> bool:
    return not examples or examples[0].capability in ("", "文本生成")


def _sample(
    operation: ApiOperation, words: OperationWords, path: str, examples: tuple[RequestExample, ...]
) -> SampleRequest:
    for field in words.path:
        path = path.replace(f"{{{field.name}}}", field.example)
    told = [
        f"{field.name}={quote(field.enum[0] if len(field.enum) == 1 else field.example, safe='')}"
        for field in words.query
        if len(field.enum) == 1 or field.required  # there is but one way, or it must be said
    ]
    if told:
        path += f"?{'&'.join(told)}"
    headers: dict[str, str] = {}
    if operation.auth == "bearer":
        headers["Authorization"] = f"Bearer {_KEY}"
    elif operation.auth != "none":
        headers[operation.auth] = _KEY
    for name in words.headers:
        for field in request_headers()[name].fields:
            if field.required and field.name.lower() not in ("authorization", operation.auth):
                headers[field.name] = field.example
    if examples:
        headers["Content-Type"] = examples[0].content_type
    return SampleRequest(operation.method, path, headers, examples[0].body if examples else None)


def _modified_ms(words: OperationWords, model: Model | None) -> int:
    described = int(words.modified.timestamp() * 1000)
    return max(described, model.created_s * 1000) if model else described
