"""OpenAI."""

from typing import Final

from tokengate.core.at_once import AtOnce
from tokengate.core.images import ImageFormats
from tokengate.core.transcription import Shape
from tokengate.formats.openai.dialect import ENGINE_PARAMETERS
from tokengate.formats.openai.format import OpenAIChat
from tokengate.formats.openai.images import OpenAIImages
from tokengate.formats.openai.speech import OpenAISpeech
from tokengate.formats.openai.transcription import ALL_BUT_SPEAKERS, TEXTS, TEXTS_OR_SPEAKERS, OpenAITranscription
from tokengate.formats.openai.video_jobs import OpenAIVideos
from tokengate.formats.responses.format import RESPONSES
from tokengate.providers.compatible import OpenAICompatible

# https://platform.openai.com/docs/api-reference/chat/create, 2026-11
_CHAT = OpenAIChat(
    lacks=ENGINE_PARAMETERS
    | frozenset(
        {
            "top_k",
            "min_p",
            "top_a",
            "repetition_penalty",
            "translation",
            "high_resolution_images",
            "pixels",
            "image_out",
            "canvas",
        }
    ),
    cap_name="max_completion_tokens",
    max_stops=4,
    stop_tokens=None,
    max_id=40,
    developer=True,
    media=frozenset({"image", "audio", "file"}),
    inline_media=frozenset({"audio", "file"}),
    custom_tools=True,
    allowed_tools=True,
    cache_marks=False,
    thoughts=None,
    tool_signatures=False,
)

# Every model there now is a GPT image model, which answers base64 alone and knows no response_format; the one that made
# variations is shut down. https://platform.openai.com/docs/guides/image-generation, 2026-11
_IMAGES_LACK = frozenset({"url", "style", "negative_prompt", "seed"})

# It hears the language from the text, and refuses what it does not know. Only tts-1 and tts-1-hd send no events.
# https://platform.openai.com/docs/api-reference/audio/createSpeech, 2026-11
_SPEECH = OpenAISpeech(lacks=frozenset({"language"}), counts=True)

# https://platform.openai.com/docs/api-reference/videos/create, 2026-11. Its films always have sound.
_VIDEOS = OpenAIVideos(
    lacks=frozenset({"negative_prompt", "seed", "has_sound", "extends_prompt", "watermark", "audio"}),
    remixes=True,
    previews=True,
)


def _shapes(model: str) -> frozenset[Shape]:
    """Return the shapes of a model's answers: only Whisper tells times, and one of the others tells speakers."""
    if model.startswith("whisper"):
        return ALL_BUT_SPEAKERS
    return TEXTS_OR_SPEAKERS if "diarize" in model else TEXTS


def _streams_text(model: str) -> bool:
    return not model.startswith("whisper")


# https://platform.openai.com/docs/api-reference/audio/createTranscription and /createTranslation, 2026-11
_TRANSCRIPTION = OpenAITranscription(
    shapes=_shapes,
    streaming=_streams_text,
    lacks_translating=frozenset({"language", "timestamp_granularities[]"}),
    max_file_bytes=25 * 1024 * 1024,
)

_IMAGES: Final[ImageFormats] = {
    "generation": OpenAIImages(task="generation", lacks=_IMAGES_LACK, takes_delivery=False, has_events=True),
    "edit": OpenAIImages(task="edit", lacks=_IMAGES_LACK, takes_delivery=False, has_events=True),
}

PROVIDER = OpenAICompatible(
    name="openai",
    title="OpenAI",
    base_url="https://api.openai.com/v1",
    key_env="OPENAI_API_KEY",
    vendors=("openai",),
    spoken=(_CHAT, RESPONSES),
    moderates=True,
    images=_IMAGES,
    speech=_SPEECH,
    jobs={"image": AtOnce(_IMAGES), "video": _VIDEOS},
    transcription=_TRANSCRIPTION,
    # gpt-5 and the reasoning models answer 400 to max_tokens; every chat model takes the newer name.
    # https://platform.openai.com/docs/api-reference/chat/create, 2026-11
    output_cap_name="max_completion_tokens",
    renames={"max_completion_tokens": "max_tokens"},
)
