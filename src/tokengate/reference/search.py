"""Full-text search over the pages of one language: an inverted index in memory, ranked by BM25, with snippets.

Latin words are indexed whole and by their parts, Chinese by single characters and by pairs, which needs no dictionary
and finds any phrase. The last Latin word of a query also matches as a prefix, so results come while one types.
"""

import math
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator

from msgspec import Struct

_TOKEN = re.compile(r"[a-z0-9]+(?:[._/-][a-z0-9]+)*|[\u3400-\u9fff]+")
_PART = re.compile(r"[a-z0-9]+")
_TITLE_WEIGHT = 8
_K1 = 1.2
_B = 0.3
_MAX_QUERY = 200  # characters
_MAX_PREFIXES = 50  # words that one prefix may stand for
_BEFORE = 30  # characters of a snippet before its first hit
_SNIPPET = 140


class Document(Struct, frozen=True):
    """A page to be found. `kind` is shown beside it."""

    slug: str
    title: str
    kind: str
    text: str
    where: str = ""  # the folders that it is in
    weight: float = 1.0  # how much likelier than others it is what a reader means


class Piece(Struct, frozen=True):
    """A part of a snippet; hits are marked."""

    text: str
    hit: bool = False


class Found(Struct, frozen=True):
    """One result."""

    slug: str
    title: str
    kind: str
    where: str
    snippet: tuple[Piece, ...]


class SearchIndex:
    """The index, built once."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._documents = tuple(documents)
        self._lengths: list[int] = []
        self._postings: dict[str, list[tuple[int, int]]] = {}
        for number, document in enumerate(self._documents):
            counts = Counter(_tokens(document.text))
            for token, count in Counter(_tokens(document.title)).items():
                counts[token] += count * _TITLE_WEIGHT
            self._lengths.append(counts.total())
            for token, count in counts.items():
                self._postings.setdefault(token, []).append((number, count))
        self._words = sorted(self._postings)
        self._average = sum(self._lengths) / max(len(self._lengths), 1) or 1.0

    def find(self, query: str, limit: int) -> list[Found]:
        """Return the best pages for a query, first the one that is called so; every word of it must be on the page."""
        wanted = _query_tokens(query[:_MAX_QUERY].lower())
        if not wanted:
            return []
        scores: dict[int, float] | None = None
        for number, token in enumerate(wanted):
            last = number == len(wanted) - 1
            matched = self._scores(token, prefix=last and token.isascii())
            if scores is None:
                scores = matched
            else:
                scores = {page: score + matched[page] for page, score in scores.items() if page in matched}
        name = query.strip().lower()
        ranked = sorted(
            (scores or {}).items(),
            key=lambda pair: (self._documents[pair[0]].title.lower() != name, -pair[1], pair[0]),
        )
        return [self._found(page, wanted) for page, _ in ranked[:limit]]

    def _scores(self, token: str, *, prefix: bool) -> dict[int, float]:
        words = [token]
        if prefix:
            words = self._starting_with(token) or words
        scores: dict[int, float] = {}
        for word in words:
            postings = self._postings.get(word, [])
            rarity = math.log(1 + (len(self._documents) - len(postings) + 0.5) / (len(postings) + 0.5))
            rarity *= 1.0 if word == token else 0.5
            for page, count in postings:
                length = 1 - _B + _B * self._lengths[page] / self._average
                score = rarity * count * (_K1 + 1) / (count + _K1 * length) * self._documents[page].weight
                scores[page] = max(scores.get(page, 0.0), score)
        return scores

    def _starting_with(self, head: str) -> list[str]:
        start = bisect_left(self._words, head)
        found: list[str] = []
        for word in self._words[start : start + _MAX_PREFIXES]:
            if not word.startswith(head):
                break
            found.append(word)
        return found

    def _found(self, page: int, wanted: list[str]) -> Found:
        document = self._documents[page]
        return Found(
            document.slug, document.title, document.kind, document.where, tuple(_snippet(document.text, wanted))
        )


def _tokens(text: str) -> Iterator[str]:
    for found in _TOKEN.finditer(text.lower()):
        token = found[0]
        if token[0] >= "\u3400":
            yield from token
            yield from (token[at : at + 2] for at in range(len(token) - 1))
        else:
            yield token
            parts = _PART.findall(token)
            if len(parts) > 1:
                yield from parts


def _query_tokens(query: str) -> list[str]:
    """Return what must be found: words as they are, Chinese by pairs, a single character alone."""
    wanted: list[str] = []
    for found in _TOKEN.finditer(query):
        token = found[0]
        if token[0] >= "\u3400" and len(token) > 1:
            wanted += [token[at : at + 2] for at in range(len(token) - 1)]
        else:
            wanted.append(token)
    return list(dict.fromkeys(wanted))


def _snippet(text: str, wanted: list[str]) -> Iterator[Piece]:
    """Yield the surroundings of the first hit, with all hits in them marked."""
    flat = " ".join(text.split())
    lowered = flat.lower()
    places = [at for token in wanted if (at := lowered.find(token)) >= 0]
    start = max(min(places, default=0) - _BEFORE, 0)
    window = flat[start : start + _SNIPPET]
    if start:
        yield Piece("…")
    pattern = "|".join(re.escape(token) for token in sorted(wanted, key=len, reverse=True))
    done = 0
    for hit in re.finditer(f"(?:{pattern})+", window, re.IGNORECASE):
        if hit.start() > done:
            yield Piece(window[done : hit.start()])
        yield Piece(hit[0], hit=True)
        done = hit.end()
    rest = window[done:] + ("…" if start + _SNIPPET < len(flat) else "")
    if rest:
        yield Piece(rest)
