"""The models' own tokenizers, built at first use from ranks inside the package; no network.

`data/NAME.xz` holds one encoding: the number of tokens (4 bytes, big-endian), each token's length (1 byte), then the
tokens in the order of their ranks. Where it comes from stands in `data/SOURCES.md`.
"""

import lzma
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from threading import Lock
from typing import Literal

Encoding = Literal["o200k", "cl100k", "qwen", "deepseek", "tekken", "llama3"]


class Tokenizer:
    """Counts the tokens of texts. Marks of chat templates inside a text count as the text that they are."""

    __slots__ = ("_encode", "_nfc")

    def __init__(self, encode: Callable[[str], list[int]], *, nfc: bool) -> None:
        self._encode = encode
        self._nfc = nfc

    def encode(self, text: str) -> list[int]:
        """Return the text's tokens as ranks."""
        if self._nfc:
            text = unicodedata.normalize("NFC", text)
        if len(text) <= _PIECE:
            return self._encode(text)
        return [token for piece in _pieces(text) for token in self._encode(piece)]

    def count(self, text: str) -> int:
        """Return how many tokens the text has."""
        return len(self.encode(text))


def tokenizer(encoding: Encoding) -> Tokenizer:
    """Return a tokenizer; its first use takes a few tenths of a second, so the event loop should not wait for it."""
    with _LOCK:
        return _load(encoding)


def last_break(text: str) -> int:
    """Return how much of a text that goes on can be counted by itself: up to the last place near its end where every
    tokenizer begins a new token. Where there is none it is cut in front of its last characters, which costs one token
    at most."""
    least = max(0, len(text) - _TAIL)
    last = least
    for found in _BREAK.finditer(text, least):
        last = found.start()
    return last


def tokens_of(plain: bytes) -> Iterator[bytes]:
    """Yield the tokens of an unpacked file in the order of their ranks."""
    number = int.from_bytes(plain[:4], "big")
    start = 4 + number
    for length in plain[4:start]:
        yield plain[start : start + length]
        start += length
    assert start == len(plain), "the file holds its tokens and nothing else"


_LOCK = Lock()  # two threads that need the same tokenizer load it once
_PIECE = 16_384  # characters; tiktoken's regular expressions overflow their stack on very long runs of blanks
_TAIL = 256  # characters at the end of a growing text in which a break is looked for
_NFC: frozenset[Encoding] = frozenset({"qwen"})

# A place where every pattern below begins a new token: a blank or a comma between two letters.
_BREAK = re.compile(r"(?<=[^\W\d_])[ ,，。](?=[^\W\d_])")

_LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_MARK = r"[^\r\n\p{L}\p{N}]?"
_SUFFIX = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_BLANKS = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_KANA_HAN = "\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff"

# How each encoding cuts a text before it merges bytes. DeepSeek cuts three times, numbers first, then Japanese and
# Chinese, then the rest; one pattern does the same when its other branches leave out what was cut off before. Its last
# branch is what no other matches, such as joiners: tiktoken would skip that.
_PATTERNS: dict[Encoding, str] = {
    "o200k": rf"{_MARK}{_UPPER}*{_LOWER}+{_SUFFIX}?|{_MARK}{_UPPER}+{_LOWER}*{_SUFFIX}?"
    rf"|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_BLANKS}",
    "cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    "qwen": rf"{_SUFFIX}|{_MARK}\p{{L}}+|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{_BLANKS}",
    "llama3": rf"{_SUFFIX}|{_MARK}\p{{L}}+|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{_BLANKS}",
    "tekken": rf"{_MARK}{_UPPER}*{_LOWER}+|{_MARK}{_UPPER}+{_LOWER}*"
    rf"|\p{{N}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_BLANKS}",
    "deepseek": rf"\p{{N}}{{1,3}}|[{_KANA_HAN}]+"
    r"""|[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+"""
    rf"|[^\r\n\p{{L}}\p{{P}}\p{{S}}\p{{N}}{_KANA_HAN}]?[\p{{L}}\p{{M}}--[{_KANA_HAN}]]+"
    rf"| ?[\p{{P}}\p{{S}}--[{_KANA_HAN}]]+[\r\n]*|\s*[\r\n]+|\s+(?![^\s\p{{N}}{_KANA_HAN}])|\s+"
    rf"|(?:[^\s\p{{L}}\p{{M}}\p{{N}}\p{{P}}\p{{S}}](?![\p{{L}}\p{{M}}--[{_KANA_HAN}]]))+",
}


@cache
def _load(encoding: Encoding) -> Tokenizer:
    import tiktoken  # here, because it costs memory and time that a gateway without such counts need not spend

    packed = resources.files("tokengate.catalog.tokens").joinpath("data", f"{encoding}.xz").read_bytes()
    ranks = {token: rank for rank, token in enumerate(tokens_of(lzma.decompress(packed)))}
    built = tiktoken.Encoding(encoding, pat_str=_PATTERNS[encoding], mergeable_ranks=ranks, special_tokens={})
    return Tokenizer(built.encode_ordinary, nfc=encoding in _NFC)


def _pieces(text: str) -> Iterator[str]:
    """Cut a long text where no token can lie; where there is no such place, anywhere: that costs one token at most."""
    start = 0
    while len(text) - start > _PIECE:
        found = _BREAK.search(text, start + _PIECE // 2, start + _PIECE)
        end = found.start() if found else start + _PIECE
        yield text[start:end]
        start = end
    yield text[start:]
