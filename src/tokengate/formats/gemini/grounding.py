"""Where an answer comes from: grounding and citations, read into pages found and citations of text."""

from tokengate.core.parts import Citation
from tokengate.core.reply import CitationAdded, Event, SearchResult
from tokengate.formats.gemini import response as wire

_MAX_SOURCES = 1_000

Texts = dict[int, list[int]]  # text block -> its size in bytes and in characters


class Sources:
    """What one reply was grounded on. Google repeats it as it grows; each citation is said once."""

    __slots__ = ("_cited", "_queries", "_results")

    def __init__(self) -> None:
        self._queries: dict[str, None] = {}
        self._results: dict[str, SearchResult] = {}
        self._cited: set[tuple[int, int, int, int, str]] = set()

    @property
    def queries(self) -> int:
        """How often the web was searched."""
        return len(self._queries)

    def results(self) -> tuple[SearchResult, ...]:
        """Return the pages in the order in which they were named."""
        return tuple(self._results.values())

    def add(self, grounding: wire.Grounding, choice: int, texts: Texts) -> list[Event]:
        """Return the citations that are new."""
        for query in (grounding.web_search_queries or ())[:_MAX_SOURCES]:
            self._queries[query] = None
        pages = [
            chunk.web or chunk.retrieved_context or chunk.maps or wire.Web()
            for chunk in grounding.grounding_chunks or ()
        ]
        for page in pages:
            if page.uri and page.uri not in self._results and len(self._results) < _MAX_SOURCES:
                index = len(self._results) + 1
                self._results[page.uri] = SearchResult(page.uri, page.title or "", page.domain or "", index=index)
        events: list[Event] = []
        for support in grounding.grounding_supports or ():
            segment = support.segment or wire.Segment()
            for at in support.grounding_chunk_indices or ():
                if 0 <= at < len(pages) and pages[at].uri:
                    events += self._cite(pages[at], segment, choice, texts)
        return events

    def cite(self, given: wire.Citations, choice: int, texts: Texts) -> list[Event]:
        """Return citations of what the model knows by heart."""
        events: list[Event] = []
        for one in given.citation_sources or given.citations or ():
            segment = wire.Segment(one.start_index, one.end_index)
            events += self._cite(wire.Web(one.uri, one.title), segment, choice, texts)
        return events

    def _cite(self, page: wire.Web, segment: wire.Segment, choice: int, texts: Texts) -> list[Event]:
        if not texts:
            return []
        block = segment.part_index if segment.part_index in texts else next(iter(texts))
        assert block is not None
        start, end = segment.start_index or 0, segment.end_index or 0
        key = (choice, block, start, end, page.uri or "")
        if key in self._cited or len(self._cited) >= _MAX_SOURCES:
            return []
        self._cited.add(key)
        size_bytes, characters = texts[block]
        if size_bytes != characters or not 0 <= start < end <= size_bytes:
            start = end = -1  # Google counts bytes; without the text nobody can tell the characters
        citation = Citation(page.uri or "", page.title or "", segment.text or "", start, end)
        return [CitationAdded(choice, block, citation)]
