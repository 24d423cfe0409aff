"""A model's price as pages show it: decimal strings in yuan, per 1,000 and per million tokens, or per piece."""

from msgspec import Struct, structs
from msgspec.structs import replace

from tokengate.catalog.load import Catalog
from tokengate.catalog.price import ALWAYS, Price, Tier, read_price, write_femto
from tokengate.catalog.rates import TOKEN_WORDS, WORDS
from tokengate.catalog.store import StoredPrice
from tokengate.core.money import write_yuan
from tokengate.reference.words import Lang, Text

_KTOK_PER_MTOK = 1_000


class Rate(Struct, frozen=True):
    """What one word of a price costs. Tokens have the first two, pieces the third."""

    word: str
    title: str
    per_ktok_yuan: str | None = None
    per_mtok_yuan: str | None = None
    per_piece_yuan: str | None = None


class PriceTier(Struct, frozen=True):
    """Rates and the conditions under which they hold; no condition is the rest."""

    when: dict[str, str | int | bool]
    rates: tuple[Rate, ...]


class ModelPrice(Struct, frozen=True):
    """A price. The four `input_` and `output_` fields are those of a short call; `tiered` says there are others."""

    version: int
    source: str
    checked: str
    currency_rate: str
    tiered: bool
    input_per_ktok_yuan: str | None
    input_per_mtok_yuan: str | None
    output_per_ktok_yuan: str | None
    output_per_mtok_yuan: str | None
    tiers: tuple[PriceTier, ...]


def model_price(catalog: Catalog, model_id: str, checked: str, lang: Lang) -> ModelPrice | None:
    """Return the price in force; None when the model has none."""
    price = catalog.price_of(model_id)
    return None if price is None else shown_price(price, checked, lang)


def brief(price: ModelPrice) -> ModelPrice:
    """Return a price for a list: what a short call costs, and what pieces cost; the card has every tier."""
    pieces = tuple(rate for tier in price.tiers[-1:] for rate in tier.rates if rate.per_piece_yuan is not None)
    return replace(price, tiers=(PriceTier({}, pieces),) if pieces else ())


def stored_model_price(stored: StoredPrice, lang: Lang) -> ModelPrice:
    """Return a price as it was at a version."""
    price = read_price(stored.price, version=stored.version, source=stored.source, currency_rate=stored.currency_rate)
    return shown_price(price, "", lang)


def shown_price(price: Price, checked: str, lang: Lang) -> ModelPrice:
    """Return a price as pages show it."""
    usual = price.rates(1)
    return ModelPrice(
        version=price.version,
        source=price.source,
        checked=checked,
        currency_rate=price.currency_rate,
        tiered=len(price.tiers) > 1,
        input_per_ktok_yuan=_ktok(usual.input),
        input_per_mtok_yuan=_mtok(usual.input),
        output_per_ktok_yuan=_ktok(usual.output),
        output_per_mtok_yuan=_mtok(usual.output),
        tiers=tuple(_tier(tier, lang) for tier in price.tiers),
    )


def _tier(tier: Tier, lang: Lang) -> PriceTier:
    when = {} if tier.when == ALWAYS else {k: v for k, v in structs.asdict(tier.when).items() if v is not None}
    rates = structs.asdict(tier.rates)
    return PriceTier(when, tuple(_rate(word, rates[word], lang) for word in WORDS if rates[word] is not None))


def _rate(word: str, nano: int, lang: Lang) -> Rate:
    title = _TITLES[word].in_lang(lang)
    if word in TOKEN_WORDS:
        return Rate(word, title, per_ktok_yuan=_ktok(nano), per_mtok_yuan=_mtok(nano))
    return Rate(word, title, per_piece_yuan=write_femto(nano))


def _ktok(nano: int | None) -> str | None:
    """Return the price of 1,000 units from nano yuan per million: a thousandth of a nano is 1,000 femto."""
    return None if nano is None else write_femto(nano * _KTOK_PER_MTOK)


def _mtok(nano: int | None) -> str | None:
    return None if nano is None else write_yuan(nano)


_TITLES: dict[str, Text] = {
    "input": Text("输入", "Input"),
    "cache_read": Text("缓存读取", "Cached input"),
    "cache_write_5m": Text("缓存写入（5 分钟）", "Cache write (5 minutes)"),
    "cache_write_1h": Text("缓存写入（1 小时）", "Cache write (1 hour)"),
    "output": Text("输出", "Output"),
    "reasoning": Text("深度思考", "Reasoning"),
    "image_in": Text("图片输入", "Image input"),
    "image_out": Text("图片输出", "Image output"),
    "video_in": Text("视频输入", "Video input"),
    "audio_in": Text("音频输入", "Audio input"),
    "audio_out": Text("音频输出", "Audio output"),
    "image": Text("每张图片", "Per image"),
    "second": Text("每秒", "Per second"),
    "character": Text("每字符", "Per character"),
    "search": Text("每次联网搜索", "Per web search"),
    "request": Text("每次请求", "Per request"),
    "batch": Text("批量", "Batch"),
}
