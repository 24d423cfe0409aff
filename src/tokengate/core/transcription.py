"""Speech that becomes text, in words of no vendor: a recording is heard, and what was said comes back, in the language
that was spoken or in English, with the times of segments and words where they are wanted.
"""

from collections.abc import Mapping
from typing import Final, Literal, Protocol

from msgspec import Raw, Struct

from tokengate.core.service import Answer, Question
from tokengate.core.upload import StoredFile, Upload
from tokengate.core.usage import ReportedUsage
from tokengate.core.wire import Losses

Task = Literal["transcribe", "translate"]  # translations are always into English
Shape = Literal["json", "text", "srt", "verbose_json", "vtt", "diarized_json"]
Granularity = Literal["word", "segment"]

TIMED: Final[frozenset[Shape]] = frozenset({"srt", "vtt", "verbose_json"})  # these need the times of segments


class Recording(Struct, frozen=True, eq=False):
    """A file known to hold sound. `duration_ms` is as its headers say; None when they do not."""

    file: StoredFile
    container: str  # wav, mp3, flac, ogg, webm or mp4
    duration_ms: int | None = None


class Transcribe(Question, frozen=True, kw_only=True, eq=False):
    """A recording to be heard. None leaves a choice to the backend; `extra` are the caller's other fields, each with
    all of its values, which only backends of the same format understand."""

    task: Task
    recording: Recording
    language: str | None = None  # ISO 639-1, of what is spoken
    prompt: str | None = None
    shape: Shape = "json"
    temperature: float | None = None
    granularities: frozenset[Granularity] = frozenset()
    stream: bool = False
    logprobs: bool = False
    extra: Mapping[str, tuple[str, ...]] = {}

    @property
    def needs_times(self) -> bool:
        """Whether the answer must have segments, or words."""
        return self.shape in TIMED

    @property
    def wants_words(self) -> bool:
        return "word" in self.granularities

    @property
    def wants_segments(self) -> bool:
        """Whether segments are to be in the answer: they are unless words alone were asked for."""
        return "segment" in self.granularities or "word" not in self.granularities


class Segment(Struct, frozen=True, kw_only=True):
    """Some of what was said, from one second of the recording to another. What a backend does not tell is None."""

    start_s: float
    end_s: float
    text: str
    seek: int = 0  # in hundredths of a second: where the window begins in which it was heard
    tokens: tuple[int, ...] = ()
    temperature: float | None = None
    avg_logprob: float | None = None
    compression_ratio: float | None = None
    no_speech_prob: float | None = None
    speaker: str | None = None


class Word(Struct, frozen=True):
    """One word, and when it was said."""

    word: str
    start_s: float
    end_s: float


class Transcript(Answer, frozen=True, kw_only=True):
    """What was said. `language` and `duration_s` are as the backend says; `segments` and `words` are None where it
    gave none. `usage` counts tokens, or seconds, as the backend bills."""

    text: str
    language: str | None = None
    duration_s: float | None = None
    segments: tuple[Segment, ...] | None = None
    words: tuple[Word, ...] | None = None
    logprobs: Raw | None = None  # OpenAI's, as it came


class TranscriptEvent(Struct, frozen=True, kw_only=True):
    """One event of a stream: more text, or a finished segment, or the end of all, or the backend's error as a JSON
    body. Usage may come with the end or before it; an end without `text` ends what the events before it said."""

    delta: str = ""
    logprobs: Raw | None = None
    segment: Segment | None = None
    done: bool = False
    text: str | None = None
    usage: ReportedUsage | None = None
    error: bytes | None = None


class TranscriptionFormat(Protocol):
    """How a backend is asked to hear a recording, and answers."""

    @property
    def name(self) -> str:
        """The wire format."""
        ...

    @property
    def tasks(self) -> frozenset[Task]:
        """What it does at all."""
        ...

    def path(self, task: Task) -> str:
        """Return the path below the backend's base URL."""
        ...

    def streams(self, question: Transcribe) -> bool:
        """Say whether the backend answers this in events; otherwise its whole answer becomes the caller's stream."""
        ...

    def write(self, question: Transcribe, fixed: Mapping[str, bytes], losses: Losses) -> bytes | Upload:
        """Return the body of a request for `question.model`: JSON, or a form; `fixed` is the operator's JSON by name,
        over the caller's own. Raises Unsupported for what the backend cannot hear, or cannot tell."""
        ...

    def forwards_reply(self, question: Transcribe) -> bool:
        """Say whether a whole reply is the caller's as it comes, in OpenAI's JSON of the shape that was asked for."""
        ...

    def forwards_events(self, question: Transcribe) -> bool:
        """Say whether the events of a stream are OpenAI's own, with the whole text and usage in the last one."""
        ...

    def read_reply(self, body: bytes, question: Transcribe) -> Transcript:
        """Read a whole reply. Raises UpstreamFailed."""
        ...

    def read_event(self, data: bytes) -> TranscriptEvent:
        """Read the data of one event; one of a kind that nobody knows is empty."""
        ...
