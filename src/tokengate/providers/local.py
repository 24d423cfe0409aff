"""The engines in this process: they speak OpenAI's format, and always end a stream with usage."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from tokengate.core.speech import Aloud
from tokengate.core.transcription import Task, Transcribe
from tokengate.core.upload import Upload
from tokengate.core.wire import Losses
from tokengate.formats.openai.format import OpenAIChat
from tokengate.formats.openai.speech import OpenAISpeech
from tokengate.formats.openai.transcription import OpenAITranscription
from tokengate.providers.compatible import OpenAICompatible

_CHAT = OpenAIChat(
    media=frozenset(),
    reasoning="enable_thinking",
    efforts=frozenset(),
    search=None,
    cache_marks=False,
    tool_signatures=False,
)

_VOICES: Final = frozenset({"joe", "en_US-joe-medium"})
# Read by the one voice that there is. https://platform.openai.com/docs/guides/text-to-speech, 2026-11.
_OPENAI_VOICES: Final = frozenset(
    {
        "alloy",
        "ash",
        "ballad",
        "cedar",
        "coral",
        "echo",
        "fable",
        "marin",
        "nova",
        "onyx",
        "sage",
        "shimmer",
        "verse",
    }
)
_ENGLISH: Final = frozenset({"auto", "en", "en-us", "english"})
_words = re.compile(r"[^\W\d_]+").findall


class LocalSpeech(OpenAISpeech, frozen=True, kw_only=True):
    """Asks the voice on this machine: one man, who reads English."""

    streams: frozenset[str] = frozenset()

    def write(self, aloud: Aloud, model: str, fixed: dict[str, bytes], losses: Losses, *, events: bool) -> bytes:
        """Return the caller's bytes. Raises Unsupported for what would sound otherwise than it was asked for; an OpenAI
        voice is left out, with a warning."""
        if aloud.voice in _OPENAI_VOICES:
            losses.drop("voice")
        elif aloud.voice not in _VOICES:
            raise losses.refuse("voice", "must be 'joe', or one of OpenAI's, which joe reads as well")
        if aloud.instructions:
            raise losses.refuse("instructions")
        if aloud.language and aloud.language.lower() not in _ENGLISH:
            raise losses.refuse("language", f"cannot be '{aloud.language}': the local voice reads English only")
        if foreign := next(filter(_is_foreign, _words(aloud.text)), None):
            raise losses.refuse("input", f"has '{foreign[:20]}' in it: the local voice reads English only")
        return super().write(aloud, model, fixed, losses, events=events)


class LocalTranscription(OpenAITranscription, frozen=True, kw_only=True):
    """Asks the model on this machine, which hears English alone."""

    tasks: frozenset[Task] = frozenset({"transcribe"})
    lacks: frozenset[str] = frozenset({"include[]"})

    def write(self, question: Transcribe, fixed: Mapping[str, bytes], losses: Losses) -> Upload:
        """Return the form. Raises Unsupported for another language; fields of no name here are left out by name."""
        if question.language and question.language.lower() not in _ENGLISH:
            raise losses.refuse("language", f"cannot be '{question.language}': the local model hears English only")
        for name in question.extra:
            losses.drop(name)
        return super().write(replace(question, extra={}), fixed, losses)


def _is_foreign(word: str) -> bool:
    """Say whether a word is in another script than English is; single letters, such as π, are names of things."""
    others = [letter for letter in word if not unicodedata.name(letter, "").startswith("LATIN ")]
    return len(others) > 1 or any(unicodedata.category(letter) == "Lo" for letter in others)


PROVIDER = OpenAICompatible(
    name="local",
    title="The local model",
    spoken=(_CHAT,),
    usage_on_request=False,
    speech=LocalSpeech(),
    transcription=LocalTranscription(),
)
