"""What a model is: one row of the catalogue, as the portal shows it and the gateway routes it.

Prices are in `price.py`; rows come from `data/*.toml` and the configuration through `load.py`.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from msgspec import Struct, field

from tokengate.core.settings import Kind

Region = Literal["国外", "国内", "内部"]
Status = Literal["available", "开发中", "即将上线"]


class CatalogError(ValueError):
    """A row of the catalogue or of the configuration is wrong; the message names the model."""


class Preset(Struct, frozen=True):
    """What makes a model an AI application. `parameters` are given under OpenAI's names, over the caller's own;
    `allowed` names those that callers may give, None for all."""

    model: str  # the id of the model that answers
    system: str = ""
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])
    allowed: frozenset[str] | None = None


class Model(Struct, frozen=True):
    """One model. `id` is its name in the API; any alias, case or vendor prefix leads to it."""

    id: str
    kind: Kind
    vendor: str
    name: str
    series: str = ""
    context: int | None = None  # tokens that prompt and reply may have together
    max_output: int | None = None
    dimensions: tuple[int, ...] = ()  # sizes an embedding model can give, its default first; empty: any
    han_as: int = 1  # as how many characters a model that speaks is paid for a Han character
    capabilities: tuple[str, ...] = ()
    region: Region = "内部"
    status: Status = "available"
    updated: str = ""  # YYYY-MM-DD
    aliases: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()  # vendor names that callers put before the id, such as `qwen` in `qwen/qwen-max`
    description: str = ""
    names: Mapping[str, str] = {}  # `name` and `description` in a reader's language, where they differ: zh, en
    descriptions: Mapping[str, str] = {}
    upstream_id: str = ""  # the vendor's own name for it; empty: `id`
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])  # sent with every call of this model
    preset: Preset | None = None  # of an AI application, which is a model to its callers
    formats: tuple[str, ...] = ()  # the wire formats in which its vendor offers it; empty: all that the vendor speaks
    price_source: str = ""
    price_checked: str = ""  # YYYY-MM-DD, when the published price was read
    in_tree: bool = True  # whether the documentation's tree shows it; every model has a page

    def name_in(self, lang: str) -> str:
        """Return the name for readers of a language."""
        return self.names.get(lang) or self.name

    def description_in(self, lang: str) -> str:
        """Return the description for readers of a language."""
        return self.descriptions.get(lang) or self.description

    @property
    def answered_by(self) -> str:
        """The id of the model that answers: an application's own model, else itself."""
        return self.preset.model if self.preset else self.id

    @property
    def has_output(self) -> bool:
        """Whether a reply has output tokens that must be held for."""
        return self.kind in ("chat", "completion", "image")

    @property
    def thinks(self) -> bool:
        """Whether it can think before it answers."""
        return "深度思考" in self.capabilities

    @property
    def created_s(self) -> int:
        """The update date in seconds since the epoch; 0 when the date is unknown."""
        if not self.updated:
            return 0
        return int(datetime.fromisoformat(self.updated).replace(tzinfo=UTC).timestamp())

    @property
    def owned_by(self) -> str:
        """Who owns it, as `GET /v1/models` says it."""
        return self.vendor
