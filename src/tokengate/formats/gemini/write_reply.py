"""Writes whole replies and streams as GenerateContentResponses."""

from typing import Any

import msgspec

from tokengate.core.chat import Chat
from tokengate.core.errors import GatewayError
from tokengate.core.fold import events_of
from tokengate.core.parts import Citation
from tokengate.core.reply import (
    Beside,
    CitationAdded,
    Event,
    Failure,
    Finish,
    FinishReason,
    LogprobsAdded,
    Reply,
    SearchResult,
    Start,
    Stop,
    TextDelta,
    TokenLogprob,
)
from tokengate.core.sse import write_frame
from tokengate.core.wire import Heading
from tokengate.formats.gemini.errors import write_error
from tokengate.formats.gemini.reasons import blocked_reason, write_reason
from tokengate.formats.gemini.usage import write_usage
from tokengate.formats.gemini.write_parts import Part, PartWriter, joined

_encode = msgspec.json.Encoder().encode


def write_reply(reply: Reply, heading: Heading, chat: Chat) -> bytes:
    """Return a whole reply to `chat`."""
    answer = _Answer(heading, chat)
    parts: dict[int, list[Part]] = {}
    for event in events_of(reply):
        for choice, said in answer.take(event):
            parts.setdefault(choice, []).extend(said)
    return _encode(answer.end({choice: joined(said) for choice, said in parts.items()}))


class ReplyStream:
    """Writes one streamed reply as server-sent events."""

    __slots__ = ("_answer",)

    def __init__(self, heading: Heading, chat: Chat) -> None:
        self._answer = _Answer(heading, chat)

    def write(self, event: Event) -> bytes:
        """Return the event's bytes, which may be none."""
        written = b"".join(write_frame(_encode(self._answer.chunk(*one))) for one in self._answer.take(event))
        if isinstance(event, Finish):
            # Clients keep a chunk as a turn of its own only when there is something in it.
            parts: dict[int, list[Part]] = {choice: [{"text": ""}] for choice in self._answer.choices}
            written += write_frame(_encode(self._answer.end(parts)))
        return written

    def fail(self, error: GatewayError) -> bytes:
        """Return the error with which the stream ends."""
        return write_frame(write_error(error, ""))


class _Answer:
    """What is said in every chunk, and what waits for the last one."""

    __slots__ = ("_accented", "_citations", "_finish", "_heading", "_logprobs", "_shown", "_stops", "_writers")

    def __init__(self, heading: Heading, chat: Chat) -> None:
        self._heading = heading
        self._shown = bool(chat.reasoning.shown)
        self._writers: dict[int, PartWriter] = {}
        self._logprobs: dict[int, list[TokenLogprob]] = {}
        self._citations: dict[int, list[Citation]] = {}
        self._stops: dict[int, Stop] = {}
        self._accented: set[int] = set()  # choices with text beyond ASCII
        self._finish = Finish()

    @property
    def choices(self) -> list[int]:
        """The choices that said anything or stopped."""
        return sorted({*self._writers, *self._stops}) or [0]

    def take(self, event: Event) -> list[tuple[int, list[Part]]]:
        """Return the choice and the parts that an event completes."""
        match event:
            case Start() | Failure() | Beside():
                return []
            case Finish():
                self._finish = event
                return []
            case LogprobsAdded():
                self._logprobs.setdefault(event.choice, []).extend(event.logprobs)
                return []
            case CitationAdded():
                self._citations.setdefault(event.choice, []).append(event.citation)
                return []
            case _:
                pass
        writer = self._writers.get(event.choice)
        if writer is None:
            writer = self._writers[event.choice] = PartWriter(shown=self._shown)
        if isinstance(event, Stop):
            self._stops[event.choice] = event
        elif isinstance(event, TextDelta) and not event.text.isascii():
            self._accented.add(event.choice)
        said = writer.write(event)
        return [(event.choice, said)] if said else []

    def chunk(self, choice: int, parts: list[Part]) -> dict[str, Any]:
        """Return a chunk before the last."""
        return {"candidates": [self._candidate(choice, parts)], **self._head()}

    def end(self, parts: dict[int, list[Part]]) -> dict[str, Any]:
        """Return the last chunk, or the whole reply, with these parts."""
        assert self._finish.usage is not None, "a reply ends with its usage"
        usage = {"usageMetadata": write_usage(self._finish.usage.usage)}
        blocked = next(filter(None, (blocked_reason(stop.native) for stop in self._stops.values())), None)
        if blocked is not None:
            return {"promptFeedback": {"blockReason": blocked}, **usage, **self._head()}
        candidates: list[dict[str, Any]] = []
        for choice in self.choices:
            stop = self._stops.get(choice) or Stop(choice, FinishReason.STOP)
            candidate = self._candidate(choice, parts.get(choice, []))
            candidate["finishReason"] = write_reason(stop.finish, stop.native)
            grounding = write_grounding(
                self._citations.get(choice, []), self._finish.searches, indexed=choice not in self._accented
            )
            if grounding:
                candidate["groundingMetadata"] = grounding
            candidates.append(candidate)
        return {"candidates": candidates, **usage, **self._head()}

    def _candidate(self, choice: int, parts: list[Part]) -> dict[str, Any]:
        candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": choice}
        logprobs = self._logprobs.pop(choice, None)
        if logprobs:
            candidate["logprobsResult"] = _write_logprobs(logprobs)
        return candidate

    def _head(self) -> dict[str, Any]:
        return {"modelVersion": self._heading.model, "responseId": self._heading.id}


def write_grounding(citations: list[Citation], searches: tuple[SearchResult, ...], *, indexed: bool) -> dict[str, Any]:
    """Return what the answer is grounded on; empty when nothing is known.

    Google counts bytes where we count characters, so places are said only of text in which they are the same.
    """
    pages: dict[str, int] = {}
    chunks: list[dict[str, Any]] = []
    for page in (*searches, *citations):
        if page.url not in pages:
            site = {"domain": page.site} if isinstance(page, SearchResult) and page.site else {}
            pages[page.url] = len(chunks)
            chunks.append({"web": {"uri": page.url, "title": page.title, **site}})
    supports: list[dict[str, Any]] = []
    for citation in citations:
        segment: dict[str, Any] = {}
        if indexed and citation.end > citation.start >= 0:
            segment |= {"startIndex": citation.start, "endIndex": citation.end}
        if citation.quote:
            segment["text"] = citation.quote
        if segment:
            supports.append({"segment": segment, "groundingChunkIndices": [pages[citation.url]]})
    if not chunks:
        return {}
    grounding: dict[str, Any] = {"groundingChunks": chunks}
    return {**grounding, "groundingSupports": supports} if supports else grounding


def _write_logprobs(logprobs: list[TokenLogprob]) -> dict[str, Any]:
    tops = [
        {"candidates": [{"token": one.token, "logProbability": one.logprob} for one in each.top]} for each in logprobs
    ]
    chosen = [{"token": each.token, "logProbability": each.logprob} for each in logprobs]
    written: dict[str, Any] = {"chosenCandidates": chosen}
    return {"topCandidates": tops, **written} if any(each.top for each in logprobs) else written
