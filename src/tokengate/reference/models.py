"""Models as the portal shows them: rows of the table, cards, facets, and what each costs."""

import re
from collections.abc import Mapping, Sequence, Set
from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from tokengate.catalog.applications import SERIES
from tokengate.catalog.model import Model
from tokengate.core.known import known
from tokengate.reference.kinds import (
    capability_title,
    kind_title,
    operations_for,
    region_title,
    vendor_title,
)
from tokengate.reference.listing import FACETS, Count, Listing, Row, Sort
from tokengate.reference.pages import Link, SampleRequest, Way
from tokengate.reference.prices import ModelPrice, brief, model_price
from tokengate.reference.running import LiveStatus, PageStatus, Running
from tokengate.reference.tree import model_slug
from tokengate.reference.words import Lang, Text, operation_words

# Where a Chinese character and a Latin one meet, which typesetting keeps a space apart.
_BESIDE_LATIN = re.compile("(?<=[一-鿿])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9])(?=[一-鿿])")

_APPLICATIONS = Text(SERIES, "AI applications")
_STATUS_TITLES = {"released": Text("已上线", "Released"), "developing": Text("开发中", "In development")}


class ModelSummary(Struct, frozen=True):
    """A model in a table or among cards."""

    id: str
    name: str
    kind: str
    kind_title: str
    vendor: str
    vendor_title: str
    series: str
    region: str
    region_title: str
    capabilities: tuple[str, ...]
    capability_titles: tuple[str, ...]
    context: int | None
    max_output: int | None
    updated: str
    status: PageStatus
    slug: str | None
    price: ModelPrice | None


class ModelPage(Struct, frozen=True):
    """Facets, a page of models, and the way to the next."""

    data: tuple[ModelSummary, ...]
    next: str | None
    total: int
    facets: Mapping[str, tuple[Count, ...]]


class HomeLists(Struct, frozen=True):
    """The lists of the home page."""

    newest: tuple[ModelSummary, ...]
    followed: tuple[ModelSummary, ...]


class ModelEndpoint(Struct, frozen=True):
    """An operation that calls a model, and where it is described."""

    operation: str
    slug: str
    method: str
    path: str
    status: PageStatus


class ModelWay(Struct, frozen=True):
    """A model called in the format of one SDK: the address that the SDK takes, and a request to begin with."""

    way: Way
    base_url: str
    sample_request: SampleRequest


class ModelCard(Struct, frozen=True):
    """Everything about one model but its traffic and price history."""

    summary: ModelSummary
    description: str
    introduction: str  # Markdown
    aliases: tuple[str, ...]
    dimensions: tuple[int, ...]
    live: LiveStatus
    endpoints: tuple[ModelEndpoint, ...]
    sample_request: SampleRequest | None
    ways: tuple[ModelWay, ...]  # every format that reaches it, when there are several
    base_url: str


class Models:
    """The catalogue as the portal asks it. `calls` counts recent calls by model."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._calls: Mapping[str, int] = {}
        self._listing: Listing | None = None
        self._absent: frozenset[str] = frozenset()

    def count_calls(self, calls: Mapping[str, int]) -> None:
        """Set how often each model was called lately."""
        if calls != self._calls:
            self._calls, self._listing = calls, None

    def page(
        self,
        chosen: Mapping[str, Sequence[str]],
        lang: Lang,
        *,
        q: str = "",
        sort: Sort = "default",
        descending: bool = False,
        limit: int = 50,
        after: str = "",
    ) -> ModelPage:
        """Return a page of models with facets. Raises BadRequest for a wrong `after`."""
        absent = self._running.absent()
        if self._listing is None or absent != self._absent:
            self._absent = absent
            self._listing = Listing(map(self._row, self._running.catalog.models()))
        found = self._listing.select(chosen, q=q, sort=sort, descending=descending, limit=limit, after=after)
        catalog = self._running.catalog
        models = [model for id in found.ids if (model := catalog.resolve(id)) is not None]
        return ModelPage(
            data=tuple(self.summary(model, lang) for model in models),
            next=found.next,
            total=found.total,
            facets={facet: _counts(facet, found.counts[facet], lang) for facet in FACETS},
        )

    def home(self, lang: Lang, limit: int) -> HomeLists:
        """Return the newest models, and the most used: those called most, then the product pages' in their order."""
        catalog = self._running.catalog
        shown = [model for model in catalog.models() if model.status != "即将上线"]
        place = {id: number for number, id in enumerate(_home().newest)}
        newest = sorted(shown, key=lambda model: place.get(model.id, len(place)))
        newest = sorted(newest, key=lambda model: model.updated, reverse=True)
        used = sorted(shown, key=lambda model: -self._calls.get(model.id, 0))
        followed = [model for model in used if self._calls.get(model.id)]
        usual = (model for id in _home().most_used if (model := catalog.resolve(id)) is not None)
        followed += [model for model in usual if model not in followed]
        return HomeLists(
            tuple(self.summary(model, lang) for model in newest[:limit]),
            tuple(self.summary(model, lang) for model in followed[:limit]),
        )

    def summary(self, model: Model, lang: Lang, *, whole_price: bool = False) -> ModelSummary:
        """Return a model as a row of the table; its price in brief unless it is wanted whole."""
        price = model_price(self._running.catalog, model, lang)
        operations = operations_for(model)
        return ModelSummary(
            id=model.id,
            name=model.name_in(lang),
            kind=model.kind,
            kind_title=kind_title(model.kind, lang),
            vendor=model.vendor,
            vendor_title=vendor_title(model.vendor, lang),
            series=_series_title(model.series, lang),
            region=model.region,
            region_title=region_title(model.region, lang),
            capabilities=model.capabilities,
            capability_titles=tuple(capability_title(one, lang) for one in model.capabilities),
            context=model.context,
            max_output=model.max_output,
            updated=model.updated,
            status=self._status(model),
            slug=model_slug(model, operations[0]) if operations else None,
            price=price if whole_price or price is None else brief(price),
        )

    def endpoints(self, model: Model) -> tuple[ModelEndpoint, ...]:
        """Return every operation that calls a model."""
        running = self._running
        return tuple(
            ModelEndpoint(
                operation.id,
                model_slug(model, operation),
                operation.method,
                running.bases(operation)[0] + operation.path,
                running.status(operation, model),
            )
            for operation in operations_for(model)
        )

    def card(
        self, model: Model, lang: Lang, sample: SampleRequest | None, ways: tuple[ModelWay, ...], server: str
    ) -> ModelCard:
        """Return a model's card."""
        operations = operations_for(model)
        base = self._running.bases(operations[0])[0] if operations else ""
        return ModelCard(
            summary=self.summary(model, lang, whole_price=True),
            description=description(model, lang),
            introduction=_introduction(model.id, lang),
            aliases=model.aliases,
            dimensions=model.dimensions,
            live=self._running.live(model, operations),
            endpoints=self.endpoints(model),
            sample_request=sample,
            ways=ways,
            base_url=server + base,
        )

    def links(self, model: Model, but: Set[str], lang: Lang) -> tuple[Link, ...]:
        """Return the pages of a model but for those of some operations."""
        words = operation_words()
        return tuple(
            Link(words[one.operation].title.in_lang(lang), one.slug)
            for one in self.endpoints(model)
            if one.operation not in but
        )

    def _status(self, model: Model) -> PageStatus:
        first = operations_for(model)[:1]
        return self._running.status(first[0], model) if first else "developing"

    def _row(self, model: Model) -> Row:
        price = self._running.catalog.price_of(model.id)
        rates = price.rates(1) if price else None
        status = self._status(model)
        named = (model.name, *model.names.values())
        names = (model.id, *named, model.series, model.vendor, *model.aliases, *model.capabilities)
        titles = (*(capability_title(one, "en") for one in model.capabilities), vendor_title(model.vendor, "zh"))
        return Row(
            id=model.id,
            name=model.name,
            facets={
                "vendor": (model.vendor,),
                "kind": (model.kind,),
                "series": (model.series,) if model.series else (),
                "capability": model.capabilities,
                "region": (model.region,),
                "status": (status,),
            },
            text=" ".join((*names, *titles)).lower(),
            context=model.context or 0,
            input_nano=rates.input if rates else None,
            output_nano=rates.output if rates else None,
            updated=model.updated,
            calls=self._calls.get(model.id, 0),
            available=status == "released",
        )


def description(model: Model, lang: Lang) -> str:
    """Return a paragraph about a model: its own, or one made of what the catalogue knows."""
    own = _first_paragraph(_introduction(model.id, lang)) or model.description_in(lang)
    if own:
        return own
    able = [capability_title(one, lang) for one in model.capabilities]
    vendor = vendor_title(model.vendor, lang)
    if lang == "zh":
        maker = f"{vendor} {model.series} 系列" if model.series else vendor
        text = "是一个 AI 应用" if model.preset else f"是{maker}的{kind_title(model.kind, lang)}模型"
        text += f"，支持{'、'.join(able)}" if able else ""
        text += f"，上下文长度 {model.context:,} tokens。" if model.context else "。"
        return f"{model.name_in(lang)} {_BESIDE_LATIN.sub(' ', text)}"
    series = f" of the {model.series} series" if model.series else ""
    what = "an AI application" if model.preset else f"a {kind_title(model.kind, lang)} model by {vendor}{series}"
    text = f"{model.name_in(lang)} is {what}"
    text += f" with {', '.join(one.lower() for one in able)}" if able else ""
    return text + (f" and a context of {model.context:,} tokens." if model.context else ".")


def _counts(facet: str, counts: Mapping[str, int], lang: Lang) -> tuple[Count, ...]:
    shown = [Count(value, _facet_title(facet, value, lang), count) for value, count in counts.items()]
    return tuple(sorted(shown, key=lambda one: (-one.count, one.value)))


def _series_title(series: str, lang: Lang) -> str:
    return _APPLICATIONS.in_lang(lang) if series == SERIES else series


def _facet_title(facet: str, value: str, lang: Lang) -> str:
    match facet:
        case "vendor":
            return vendor_title(value, lang)
        case "kind":
            return kind_title(value, lang)
        case "capability":
            return capability_title(value, lang)
        case "region":
            return region_title(value, lang)
        case "series":
            return _series_title(value, lang)
        case "status":
            return _STATUS_TITLES[value].in_lang(lang)
        case _:
            return value


class _Home(Struct, frozen=True, forbid_unknown_fields=True):
    most_used: tuple[str, ...]
    newest: tuple[str, ...]


_HOME = known(_Home)


@cache
def _home() -> _Home:
    text = resources.files("tokengate.reference").joinpath("data", "home.toml").read_bytes()
    return msgspec.toml.decode(text, type=_HOME)


@cache
def _introduction(model_id: str, lang: Lang) -> str:
    """Return the long description that some models have, from `data/cards/`."""
    if "/" in model_id:
        return ""
    file = resources.files("tokengate.reference").joinpath("data", "cards", f"{model_id}.{lang}.md")
    return file.read_text(encoding="utf-8").strip() if file.is_file() else ""


def _first_paragraph(text: str) -> str:
    return text.partition("\n\n")[0]
