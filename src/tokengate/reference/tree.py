"""The documentation tree: the folders of the product pages, filled from the catalogue and the operation table.

A model that the catalogue gains appears in its vendor's folder by itself; a vendor without a folder gets one.
"""

from collections.abc import Iterator
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct, field

from tokengate.catalog.model import Model
from tokengate.core.known import known
from tokengate.reference.kinds import capability_title, kind_title, operation_of, operations_for, vendor_title
from tokengate.reference.running import PageStatus, Running
from tokengate.reference.table import TABLE, ApiOperation
from tokengate.reference.words import NO_TEXT, Lang, Text, operation_words


class Node(Struct, frozen=True):
    """An entry of the tree: a folder, or a page by its slug, or an address elsewhere in the portal."""

    title: str
    slug: str | None = None
    href: str | None = None
    method: str | None = None
    status: PageStatus | None = None
    children: tuple["Node", ...] = ()


class _Models(Struct, frozen=True, forbid_unknown_fields=True):
    region: str
    vendor: str


class _Written(Struct, frozen=True, forbid_unknown_fields=True):
    """A node as `data/tree.toml` has it."""

    title: Text
    href: str = ""
    page: str = ""
    model: str = ""
    models: _Models | None = None
    operations: str = ""  # those whose ids begin with this
    applications: bool = False  # those that were published and are not among the children
    region: str = ""  # vendors of this region that have no folder get one here
    titles: dict[str, str] = field(default_factory=dict[str, str])
    titles_en: dict[str, str] = field(default_factory=dict[str, str])
    coming: Text = NO_TEXT  # said beside the title while none of the operations works
    children: tuple["_Written", ...] = ()


class _Tree(Struct, frozen=True, forbid_unknown_fields=True):
    node: tuple[_Written, ...]


_TREE = known(_Tree)


def tree(running: Running, lang: Lang) -> tuple[Node, ...]:
    """Return the whole tree in a language."""
    return tuple(_node(written, running, lang) for written in _written().node)


def flatten(nodes: tuple[Node, ...], above: tuple[Node, ...] = ()) -> Iterator[tuple[Node, tuple[Node, ...]]]:
    """Yield every page of the tree with the folders that it is in, in reading order."""
    for node in nodes:
        if node.slug is not None:
            yield node, above
        yield from flatten(node.children, (*above, node))


def model_slug(model: Model, operation: ApiOperation) -> str:
    """Return the slug of the page that says how to call a model by an operation."""
    return f"{operation.id}/{model.id}"


def operation_slug(operation: ApiOperation) -> str:
    """Return the slug of an operation's own page."""
    return f"api/{operation.id}"


def _node(written: _Written, running: Running, lang: Lang) -> Node:
    title = written.title.in_lang(lang)
    if written.model:
        model = running.catalog.resolve(written.model)
        assert model is not None, f"the tree names the model {written.model!r}"
        return _model_node(model, title, running)
    if written.page or written.href:
        return Node(title, slug=written.page or None, href=written.href or None)
    children = [_node(child, running, lang) for child in written.children]
    if written.models is not None:
        children += _models(written, running, lang)
    if written.operations and not written.children:
        children += _operations(written.operations, running, lang)
    if written.applications:
        children += _applications(written, running, lang)
    if written.region:
        children += _other_vendors(written, running, lang)
    if written.coming.zh and not any(running.serves(one) for one in _named(written.operations)):
        title = f"{title} {written.coming.in_lang(lang)}"
    return Node(title, children=tuple(children))


def _models(written: _Written, running: Running, lang: Lang) -> list[Node]:
    wanted = written.models
    assert wanted is not None
    titles = written.titles if lang == "zh" else written.titles_en
    return [
        _model_node(model, _model_title(model, titles.get(model.kind, "{id}"), lang), running)
        for model in _in_tree(running)
        if (model.region, model.vendor) == (wanted.region, wanted.vendor)
    ]


def _applications(written: _Written, running: Running, lang: Lang) -> list[Node]:
    named = {found.id for name in _models_named(written) if (found := running.catalog.resolve(name)) is not None}
    return [
        _model_node(model, model.name_in(lang), running)
        for model in running.catalog.models()
        if model.preset is not None and model.id not in named
    ]


def _models_named(written: _Written) -> Iterator[str]:
    if written.model:
        yield written.model
    for child in written.children:
        yield from _models_named(child)


def _model_node(model: Model, title: str, running: Running) -> Node:
    operations = operations_for(model)
    if not operations:
        return Node(title, href=f"/models/{model.id}", status="developing")
    first = operations[0]
    return Node(title, model_slug(model, first), method=first.method, status=running.status(first, model))


def _model_title(model: Model, form: str, lang: Lang) -> str:
    capability = capability_title(model.capabilities[0], lang) if model.capabilities else ""
    return form.format(id=model.id, capability=capability, kind=kind_title(model.kind, lang))


def _operations(prefix: str, running: Running, lang: Lang) -> list[Node]:
    return [
        Node(
            operation_words()[operation.id].title.in_lang(lang),
            operation_slug(operation),
            method=operation.method,
            status=running.status(operation),
        )
        for operation in _named(prefix)
    ]


def _other_vendors(written: _Written, running: Running, lang: Lang) -> list[Node]:
    """Return a folder for each vendor of the region that has none."""
    named = {child.models.vendor for child in written.children if child.models is not None}
    folders: dict[str, list[Node]] = {}
    for model in _in_tree(running):
        if model.region == written.region and model.vendor not in named:
            folders.setdefault(model.vendor, []).append(_model_node(model, model.id, running))
    return [Node(vendor_title(vendor, lang), children=tuple(nodes)) for vendor, nodes in folders.items()]


def _in_tree(running: Running) -> Iterator[Model]:
    return (model for model in running.catalog.models() if model.in_tree)


def _named(prefix: str) -> list[ApiOperation]:
    return [operation for operation in TABLE if operation.id.startswith(prefix)]


def known_operation(slug: str) -> ApiOperation | None:
    """Return the operation whose own page has this slug."""
    head, _, id = slug.partition("/")
    return operation_of(id) if head == "api" else None


@cache
def _written() -> _Tree:
    text = resources.files("tokengate.reference").joinpath("data", "tree.toml").read_bytes()
    return msgspec.toml.decode(text, type=_TREE)
