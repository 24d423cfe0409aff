"""Every page of the reference by its slug: the one object that the portal's routes and documents ask.

Made when the first page is asked for. Pages are made anew each time, since their addresses are the reader's own; what
they are made of, the tree and the search index are kept.
"""

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from tokengate.catalog.model import Model
from tokengate.reference.collection import collection
from tokengate.reference.generated import (
    API_LIST,
    PARAMETERS,
    PRICES,
    STATUS_CODES,
    TITLES,
    generated_markdown,
)
from tokengate.reference.guides import Guides, outline
from tokengate.reference.kinds import (
    capability_title,
    formats_beside,
    operation_of,
    operations_for,
    vendor_title,
    wire_format,
)
from tokengate.reference.markdown import endpoint_markdown
from tokengate.reference.models import ModelCard, Models, ModelWay, description
from tokengate.reference.openapi import Document as OpenApi
from tokengate.reference.openapi import openapi_document
from tokengate.reference.pages import Link, Page, Parameter, Way, Written, endpoint_page
from tokengate.reference.plain import plain
from tokengate.reference.running import Running
from tokengate.reference.search import Document, Found, SearchIndex
from tokengate.reference.table import TABLE, ApiOperation
from tokengate.reference.tree import Node, flatten, known_operation, model_slug, operation_slug, tree
from tokengate.reference.words import Lang, Text, operation_words

_GENERATED = (API_LIST, PARAMETERS, STATUS_CODES, PRICES)
_LIKELY = 1.5
_HELP = Text("帮助文档", "Help")
_KINDS = {
    "endpoint": Text("接口", "Endpoint"),
    "model": Text("模型", "Model"),
    "guide": Text("指南", "Guide"),
    "reference": Text("参考", "Reference"),
}
_TAGLINE = Text(
    "自托管的 AI 网关：一个密钥调用所有模型，OpenAI、Anthropic、Google 与 DashScope 的接口，预付费钱包，精确的账单。",
    "A self-hosted AI gateway: one key for every model, the APIs of OpenAI, Anthropic, Google and DashScope, prepaid "
    "wallets, exact bills.",
)


class Navigation(Struct, frozen=True):
    """The tree at the left, and the pages of the help menu."""

    tree: tuple[Node, ...]
    help: tuple[Link, ...]
    reference: tuple[Link, ...]


class Library:
    """The reference of one running gateway."""

    def __init__(self, running: Running, guides: Guides, *, version: str) -> None:
        self.running = running
        self.models = Models(running)
        self._guides = guides
        self._version = version
        self._trees: dict[Lang, tuple[frozenset[str], tuple[Node, ...]]] = {}  # by the models that were absent
        self._places: dict[Lang, dict[str, Written]] = {}
        self._indexes: dict[Lang, SearchIndex] = {}

    def navigation(self, lang: Lang) -> Navigation:
        """Return the tree and the help menu."""
        guides = [slug for slug in self._guides.slugs(lang) if not slug.startswith("project/")]
        return Navigation(
            tree=self._tree(lang),
            help=tuple(Link(self._guide_title(slug, lang), slug) for slug in guides),
            reference=tuple(Link(TITLES[slug].in_lang(lang), slug) for slug in _GENERATED),
        )

    def page(self, slug: str, lang: Lang, server: str) -> Page | None:
        """Return a page; `server` is the gateway's address as the reader knows it. None: there is no such page."""
        if slug in TITLES:
            return self._generated(slug, lang)
        guide = self._guides.find(slug, lang)
        if guide is not None:
            place = self._place(slug, lang) or self._in_help(slug, guide.title, lang)
            return Page(
                slug=slug,
                kind="guide",
                title=guide.title,
                lang=guide.lang,
                breadcrumb=place.breadcrumb,
                markdown=guide.markdown,
                modified_ms=guide.modified_ms,
                headings=guide.headings,
                previous=place.previous,
                next=place.next,
            )
        return self._endpoint(slug, lang, server)

    def card(self, model: Model, lang: Lang, server: str) -> ModelCard:
        """Return a model's card."""
        first = operations_for(model)[:1]
        page = self.page(model_slug(model, first[0]), lang, server) if first else None
        ways = tuple(
            ModelWay(way, server + wire_format(way.format).base, sample)
            for way in (page.ways if page else ())
            if (beside := self.page(way.slug, lang, server)) and (sample := beside.sample_request)
        )
        return self.models.card(model, lang, page.sample_request if page else None, ways, server)

    def slugs(self, lang: Lang) -> Iterator[str]:
        """Yield the slug of every page there is, once each."""
        yield from dict.fromkeys(
            (
                *_GENERATED,
                *self._guides.slugs(lang),
                *(operation_slug(operation) for operation in TABLE),
                *(
                    model_slug(model, operation)
                    for model in self.running.catalog.models()
                    for operation in operations_for(model)
                ),
            )
        )

    def search(self, query: str, lang: Lang, limit: int) -> list[Found]:
        """Return the pages that fit a query best."""
        index = self._indexes.get(lang)
        if index is None:
            index = self._indexes[lang] = SearchIndex(self._documents(lang))
        return index.find(query, limit)

    def openapi(self, lang: Lang, server: str) -> OpenApi:
        """Return the OpenAPI document of what is served."""
        return openapi_document(self.running, version=self._version, server=server, lang=lang)

    def collection(self, lang: Lang, server: str) -> OpenApi:
        """Return the collection for Postman and Apifox."""
        return collection(self.running, server=server, lang=lang)

    def llms(self, lang: Lang, server: str) -> str:
        """Return the map of the documentation for language models."""
        lines = ["# TokenGate", "", f"> {_TAGLINE.in_lang(lang)}", ""]
        lines += [f"- OpenAPI 3.1: {server}/openapi.json", f"- Postman: {server}/collection.json", ""]
        navigation = self.navigation(lang)
        for title, links in (
            (_HELP.in_lang(lang), (*navigation.help, *navigation.reference)),
            (TITLES[API_LIST].in_lang(lang), tuple(self._operation_links(lang))),
            (Text("模型", "Models").in_lang(lang), tuple(self._model_links(lang))),
        ):
            lines += [f"## {title}", ""]
            lines += [f"- [{link.title}]({server}/docs/{link.slug}.md?lang={lang})" for link in links]
            lines.append("")
        return "\n".join(lines)

    def picture(self, path: str) -> bytes | None:
        """Return a picture of the guides."""
        return self._guides.picture(path)

    def _endpoint(self, slug: str, lang: Lang, server: str) -> Page | None:
        found = self._endpoint_of(slug)
        if found is None:
            return None
        operation, model = found
        slug = model_slug(model, operation) if model else operation_slug(operation)
        place = self._place(slug, lang)
        assert place is not None
        ways = self._ways(operation, model, lang)
        shown = {operation.id, *(way.operation for way in ways)}
        page = endpoint_page(
            slug,
            operation,
            model,
            place,
            self.running,
            server=server,
            lang=lang,
            ways=ways,
            others=self.models.links(model, shown, lang) if model else (),
        )
        return replace(page, markdown=endpoint_markdown(page))

    def _ways(self, operation: ApiOperation, model: Model | None, lang: Lang) -> tuple[Way, ...]:
        """Return the formats in which the same call is served; none when there is no choice."""
        served = {
            name: beside
            for name, beside in formats_beside(operation, model).items()
            if beside is operation or self.running.serves(beside)
        }
        if len(served) < 2:
            return ()
        return tuple(
            Way(
                name,
                wire_format(name).title.in_lang(lang),
                beside.id,
                model_slug(model, beside) if model else operation_slug(beside),
                wire_format(name).guide or None,
            )
            for name, beside in served.items()
        )

    def _endpoint_of(self, slug: str) -> tuple[ApiOperation, Model | None] | None:
        operation = known_operation(slug)
        if operation is not None:
            return operation, None
        head, _, name = slug.partition("/")
        operation, model = operation_of(head), self.running.catalog.resolve(name)
        if operation is None or model is None or operation not in operations_for(model):
            return None
        return operation, model

    def _generated(self, slug: str, lang: Lang) -> Page:
        markdown = generated_markdown(slug, self.running, lang)
        place = self._in_help(slug, TITLES[slug].in_lang(lang), lang)
        return Page(
            slug=slug,
            kind="reference",
            title=place.title,
            lang=lang,
            breadcrumb=place.breadcrumb,
            previous=place.previous,
            next=place.next,
            markdown=markdown,
            modified_ms=max(int(words.modified.timestamp() * 1000) for words in operation_words().values()),
            headings=outline(markdown)[1],
        )

    def _tree(self, lang: Lang) -> tuple[Node, ...]:
        absent = self.running.absent()
        known = self._trees.get(lang)
        if known is None or known[0] != absent:
            known = self._trees[lang] = absent, tree(self.running, lang)
        return known[1]

    def _place(self, slug: str, lang: Lang) -> Written | None:
        places = self._places.get(lang)
        if places is None:
            in_tree = dict(_neighbours(_in_tree(self._tree(lang))))
            rest = [one for one in self._outside(lang) if one[0].slug not in in_tree]
            places = self._places[lang] = in_tree | dict(_neighbours(rest))
        return places.get(slug)

    def _in_help(self, slug: str, title: str, lang: Lang) -> Written:
        """Return the place of a page of the help menu: between its neighbours there."""
        navigation = self.navigation(lang)
        links = (*navigation.help, *navigation.reference)
        at = next((number for number, link in enumerate(links) if link.slug == slug), None)
        before = links[at - 1] if at else None
        after = links[at + 1] if at is not None and at + 1 < len(links) else None
        return Written(title, (Link(_HELP.in_lang(lang)),), before, after)

    def _outside(self, lang: Lang) -> Iterator[tuple[Link, tuple[Link, ...]]]:
        """Yield every page as it stands when the tree does not have it: below its operation, in the table's order."""
        callers: dict[str, list[Model]] = {}
        for model in self.running.catalog.models():
            for operation in operations_for(model):
                callers.setdefault(operation.id, []).append(model)
        above = (Link(TITLES[API_LIST].in_lang(lang), API_LIST),)
        for operation in TABLE:
            own = Link(operation_words()[operation.id].title.in_lang(lang), operation_slug(operation))
            yield own, above
            for model in callers.get(operation.id, ()):
                yield Link(model.id, model_slug(model, operation)), (*above, own)

    def _guide_title(self, slug: str, lang: Lang) -> str:
        guide = self._guides.find(slug, lang)
        return guide.title if guide else slug

    def _operation_links(self, lang: Lang) -> Iterator[Link]:
        for operation in TABLE:
            yield Link(operation_words()[operation.id].title.in_lang(lang), operation_slug(operation))

    def _model_links(self, lang: Lang) -> Iterator[Link]:
        for model in self.running.catalog.models():
            for operation in operations_for(model)[:1]:
                yield Link(model.id, model_slug(model, operation))

    def _documents(self, lang: Lang) -> Iterator[Document]:
        """Yield what search looks in. A model's pages repeat their operation's, so a model is found by what is its
        own, and its parameters by the operation."""
        for slug in self._guides.slugs(lang):
            guide = self._guides.find(slug, lang)
            if guide is not None:
                kind = _KINDS["guide"].in_lang(lang)
                yield Document(slug, guide.title, kind, plain(guide.markdown), _HELP.in_lang(lang), _weight(slug))
        for slug in (API_LIST, PARAMETERS, STATUS_CODES):
            text = plain(generated_markdown(slug, self.running, lang))
            title, kind = TITLES[slug].in_lang(lang), _KINDS["reference"].in_lang(lang)
            yield Document(slug, title, kind, text, _HELP.in_lang(lang), _weight(slug))
        for operation in TABLE:
            slug = operation_slug(operation)
            page = self._endpoint(slug, lang, "")
            assert page is not None
            where = " / ".join(link.title for link in page.breadcrumb)
            weight = _LIKELY if page.status == "released" else 1.0
            yield Document(slug, page.title, _KINDS["endpoint"].in_lang(lang), _searched(page), where, weight)
        for model in self.running.catalog.models():
            operations = operations_for(model)
            if operations:
                yield self._model_document(model, operations[0], lang)

    def _model_document(self, model: Model, operation: ApiOperation, lang: Lang) -> Document:
        slug = model_slug(model, operation)
        place = self._place(slug, lang)
        assert place is not None
        able = " ".join(capability_title(one, lang) for one in model.capabilities)
        names = " ".join((model.id, model.name_in(lang), *model.aliases, model.series))
        text = f"{names} {vendor_title(model.vendor, lang)} {able} {description(model, lang)}"
        where = " / ".join(link.title for link in place.breadcrumb)
        return Document(slug, place.title, _KINDS["model"].in_lang(lang), text, where)


def _weight(slug: str) -> float:
    return 0.5 if slug.startswith("project/") else _LIKELY


def _searched(page: Page) -> str:
    """Return what an operation's page is found by: what it does and what its parameters mean."""
    lines = [f"{page.method} {page.path}", page.summary, page.description]
    lines += (f"{parameter.name} {parameter.meaning}" for parameter in _all(page.parameters))
    return "\n".join(line for line in lines if line)


def _all(parameters: tuple[Parameter, ...]) -> Iterator[Parameter]:
    for parameter in parameters:
        yield parameter
        yield from _all(parameter.children)


def _in_tree(nodes: tuple[Node, ...]) -> list[tuple[Link, tuple[Link, ...]]]:
    """Return each page of the tree with the folders that it is in."""
    return [
        (Link(node.title, node.slug), tuple(Link(folder.title, folder.slug) for folder in above))
        for node, above in flatten(nodes)
    ]


def _neighbours(listed: list[tuple[Link, tuple[Link, ...]]]) -> Iterator[tuple[str, Written]]:
    """Yield where each of the pages stands that follow each other so."""
    for number, (page, above) in enumerate(listed):
        assert page.slug is not None
        before = listed[number - 1][0] if number else None
        after = listed[number + 1][0] if number + 1 < len(listed) else None
        yield page.slug, Written(page.title, above, before, after)
