"""A library without a gateway: the packaged catalogue, the routes that are served, and backends by choice."""

from collections.abc import Iterable

from tokengate.catalog.load import Catalog, load_models
from tokengate.core.settings import Settings
from tokengate.reference import table
from tokengate.reference.guides import Guides, docs_folder
from tokengate.reference.library import Library
from tokengate.reference.running import Route, Running

SERVED = (
    table.CHAT_COMPLETIONS,
    table.COMPLETIONS,
    table.EMBEDDINGS,
    table.LIST_MODELS,
    table.SHOW_MODEL,
    table.BALANCE,
    table.USAGE,
    table.USAGE_OF_CALL,
)
CATALOG = load_models(Settings())
SERVER = "https://ai.example.com"


def routes(operations: Iterable[table.ApiOperation] = SERVED) -> tuple[Route, ...]:
    return tuple(Route(operation, base) for operation in operations for base in operation.bases)


def running(
    *offered: str,
    served: Iterable[table.ApiOperation] = SERVED,
    catalog: Catalog = CATALOG,
    breakers: Iterable[tuple[str, str, str]] = (),
    absent: Iterable[str] = (),
) -> Running:
    found = tuple(breakers)
    return Running(catalog, routes(served), offered.__contains__, lambda: frozenset(absent), lambda: found)


def library(*offered: str, served: Iterable[table.ApiOperation] = SERVED, catalog: Catalog = CATALOG) -> Library:
    return Library(running(*offered, served=served, catalog=catalog), Guides(docs_folder()), version="1.2.3")
