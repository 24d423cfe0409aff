"""A model's price as pages show it: decimal strings in yuan, per 1,000 and per million tokens, or per piece.

Of the words that nobody wrote and that cost what another word costs, only those are shown that the model can use.
"""

from collections.abc import Collection, Mapping

from msgspec import Struct, structs
from msgspec.structs import replace

from tokengate.catalog.load import Catalog
from tokengate.catalog.model import Model
from tokengate.catalog.price import ALWAYS, Price, Tier, read_price, write_femto
from tokengate.catalog.rates import PARENTS, TOKEN_WORDS, WORDS, write_times
from tokengate.catalog.store import StoredPrice
from tokengate.core.money import write_yuan
from tokengate.reference.words import Lang, Text

_KTOK_PER_MTOK = 1_000


class Rate(Struct, frozen=True):
    """What one word of a price costs. Tokens have the first two, pieces the third.

    `fallback` says in words from which other word the amount comes; null: it is a price of its own.
    """

    word: str
    title: str
    per_ktok_yuan: str | None = None
    per_mtok_yuan: str | None = None
    per_piece_yuan: str | None = None
    fallback: str | None = None


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


def model_price(catalog: Catalog, model: Model, lang: Lang) -> ModelPrice | None:
    """Return the price in force; None when the model has none."""
    price, reading = catalog.price_of(model.id), catalog.reading_of(model.id)
    if price is None:
        return None
    assumed = [word for word, _ in reading.fallbacks] if reading else PARENTS
    return _shown(price, model, assumed, model.price_checked, lang)


def brief(price: ModelPrice) -> ModelPrice:
    """Return a price for a list: what a short call costs, and what pieces cost; the card has every tier."""
    pieces = tuple(rate for tier in price.tiers[-1:] for rate in tier.rates if rate.per_piece_yuan is not None)
    return replace(price, tiers=(PriceTier({}, pieces),) if pieces else ())


def stored_model_price(stored: StoredPrice, model: Model, lang: Lang) -> ModelPrice:
    """Return a price as it was at a version; which of its words were written is no longer known."""
    price = read_price(stored.price, version=stored.version, source=stored.source, currency_rate=stored.currency_rate)
    return _shown(price, model, PARENTS, "", lang)


def _shown(price: Price, model: Model, assumed: Collection[str], checked: str, lang: Lang) -> ModelPrice:
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
        tiers=tuple(_tier(tier, model, assumed, lang) for tier in price.tiers),
    )


def _tier(tier: Tier, model: Model, assumed: Collection[str], lang: Lang) -> PriceTier:
    when = {} if tier.when == ALWAYS else {k: v for k, v in structs.asdict(tier.when).items() if v is not None}
    priced = {word: nano for word, nano in structs.asdict(tier.rates).items() if nano is not None}
    # A tier may write a word that the price leaves out; then it costs something of its own there.
    fallen = {word for word in assumed if word in priced and _is_fallen(word, priced)}
    rates = tuple(
        _rate(word, priced[word], _fallback(word, lang) if word in fallen else None, lang)
        for word in WORDS
        if word in priced and (word not in fallen or _can_use(model, word))
    )
    return PriceTier(when, rates)


def _is_fallen(word: str, priced: Mapping[str, int]) -> bool:
    """Whether a word costs what its parent costs; both were rounded up by themselves."""
    parent, times = PARENTS[word]
    return parent in priced and 0 <= priced[parent] * times - priced[word] <= times


def _can_use(model: Model, word: str) -> bool:
    """Whether a call of the model can have units of a word that falls back."""
    if word in _CACHED:
        return model.kind in _CACHING_KINDS and (word == "cache_read" or model.vendor in _SELLS_CACHE_WRITES)
    able = _ABLE.get(word, ())
    return model.kind in able or any(one in able for one in model.capabilities)


def _rate(word: str, nano: int, fallback: str | None, lang: Lang) -> Rate:
    title = _TITLES[word].in_lang(lang)
    if word in TOKEN_WORDS:
        return Rate(word, title, per_ktok_yuan=_ktok(nano), per_mtok_yuan=_mtok(nano), fallback=fallback)
    return Rate(word, title, per_piece_yuan=write_femto(nano))


def _fallback(word: str, lang: Lang) -> str:
    """Return `same as input`, or `1.25 × input`."""
    parent, times = PARENTS[word]
    title = _TITLES[parent].in_lang(lang)
    if times == 1:
        return Text(f"与{title}同价", f"same as {title.lower()}").in_lang(lang)
    factor = write_times(times)
    return Text(f"{title}价的 {factor} 倍", f"{factor} × {title.lower()}").in_lang(lang)


def _ktok(nano: int | None) -> str | None:
    """Return the price of 1,000 units from nano yuan per million: a thousandth of a nano is 1,000 femto."""
    return None if nano is None else write_femto(nano * _KTOK_PER_MTOK)


def _mtok(nano: int | None) -> str | None:
    return None if nano is None else write_yuan(nano)


_CACHED = ("cache_read", "cache_write_5m", "cache_write_1h")
_CACHING_KINDS = ("chat", "completion")
_SELLS_CACHE_WRITES = ("anthropic", "qwen")  # others cache by themselves and charge nothing for it

# word -> kinds of models, and capabilities, that make or take such tokens
_ABLE: dict[str, tuple[str, ...]] = {
    "reasoning": ("深度思考", "深度研究"),
    "image_in": ("图片识别", "图片编辑", "图生视频"),
    "image_out": ("image", "文生图", "图片编辑"),
    "audio_in": ("transcription", "语音转文字"),
    "audio_out": ("speech", "文字生语音"),
}

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
