"""What a model is: one row of the catalogue, as the portal shows it and the gateway routes it.

Prices are in `price.py`; rows come from `data/*.toml` and the configuration through `load.py`.
"""

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
    capabilities: tuple[str, ...] = ()
    region: Region = "内部"
    status: Status = "available"
    updated: str = ""  # YYYY-MM-DD
    aliases: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()  # vendor names that callers put before the id, such as `qwen` in `qwen/qwen-max`
    description: str = ""
    upstream_id: str = ""  # the vendor's own name for it; empty: `id`
    parameters: dict[str, Any] = field(default_factory=dict[str, Any])  # sent with every call of this model
    preset: Preset | None = None  # of an AI application, which is a model to its callers
    formats: tuple[str, ...] = ()  # the wire formats in which its vendor offers it; empty: all that the vendor speaks
    price_source: str = ""
    price_checked: str = ""  # YYYY-MM-DD, when the published price was read
    in_tree: bool = True  # whether the documentation's tree shows it; every model has a page

    @property
    def has_output(self) -> bool:
        """Whether a reply has output tokens that must be held for."""
        return self.kind in ("chat", "completion")

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
