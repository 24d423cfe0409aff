"""Which operations call which models, and what kinds, capabilities, regions and vendors are called in each language."""

from functools import cache
from importlib import resources

import msgspec
from msgspec import Struct

from tokengate.catalog.model import Model
from tokengate.core.known import known
from tokengate.reference.table import TABLE, ApiOperation
from tokengate.reference.words import Lang, Text

_BY_ID = {operation.id: operation for operation in TABLE}


class Offer(Struct, frozen=True, forbid_unknown_fields=True):
    """An operation calls models of these kinds; empty lists mean any."""

    operation: str
    kinds: tuple[str, ...]
    format: str = ""  # of those that do the same, each for its own SDK
    vendors: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()

    def fits(self, model: Model) -> bool:
        return (
            model.kind in self.kinds
            and (not self.vendors or model.vendor in self.vendors)
            and (not self.capabilities or any(one in model.capabilities for one in self.capabilities))
        )


class WireFormat(Struct, frozen=True, forbid_unknown_fields=True):
    """A wire format as its SDK's users know it. `base` is what the SDK takes as its address, after the gateway's."""

    title: Text
    base: str
    guide: str = ""


class _Kinds(Struct, frozen=True, forbid_unknown_fields=True):
    offer: tuple[Offer, ...]
    formats: dict[str, WireFormat]
    kinds: dict[str, Text]
    capabilities: dict[str, Text]
    regions: dict[str, Text]
    vendors: dict[str, Text]


_KINDS = known(_Kinds)


def operation_of(id: str) -> ApiOperation | None:
    """Return an operation of the table by its id."""
    return _BY_ID.get(id)


def operations_for(model: Model) -> tuple[ApiOperation, ...]:
    """Return the operations that call a model, the one to show first at the front."""
    found = dict.fromkeys(offer.operation for offer in _kinds().offer if offer.fits(model))
    return tuple(_BY_ID[id] for id in found)


def offers_of(operation: ApiOperation) -> tuple[Offer, ...]:
    """Return which models an operation calls; none when it says nothing of it."""
    return tuple(offer for offer in _kinds().offer if offer.operation == operation.id)


def formats_beside(operation: ApiOperation, model: Model | None) -> dict[str, ApiOperation]:
    """Return, by format, the operations that do what this one does, itself among them, for a model if one is named;
    none when it is of no format."""
    offers = [offer for offer in _kinds().offer if offer.format and (model is None or offer.fits(model))]
    own = [offer for offer in offers if offer.operation == operation.id]
    if not own:
        return {}
    found = {own[0].format: operation}
    for offer in offers:
        general = model is not None or not (offer.vendors or offer.capabilities)
        if general and set(offer.kinds) & set(own[0].kinds):
            found.setdefault(offer.format, _BY_ID[offer.operation])
    return {name: found[name] for name in _kinds().formats if name in found}


def wire_format(name: str) -> WireFormat:
    """Return what is known of a format that `formats_beside` named."""
    return _kinds().formats[name]


def kind_title(kind: str, lang: Lang) -> str:
    """Return what a kind of model is called."""
    return _title(_kinds().kinds, kind, lang)


def capability_title(capability: str, lang: Lang) -> str:
    """Return what a capability is called; one that an operator made up is its own name."""
    return _title(_kinds().capabilities, capability, lang)


def region_title(region: str, lang: Lang) -> str:
    """Return what a region group is called."""
    return _title(_kinds().regions, region, lang)


def vendor_title(vendor: str, lang: Lang) -> str:
    """Return what a vendor is called; one that an operator made up is its own name."""
    return _title(_kinds().vendors, vendor, lang)


def _title(titles: dict[str, Text], key: str, lang: Lang) -> str:
    found = titles.get(key)
    return found.in_lang(lang) if found else key


@cache
def _kinds() -> _Kinds:
    text = resources.files("tokengate.reference").joinpath("data", "kinds.toml").read_bytes()
    return msgspec.toml.decode(text, type=_KINDS)
