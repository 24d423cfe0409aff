"""Any server that speaks OpenAI's format, at an address that the operator names."""

from typing import Final

from tokengate.core.at_once import AtOnce
from tokengate.core.images import ImageFormats
from tokengate.formats.openai.format import OPENAI_CHAT
from tokengate.formats.openai.images import OpenAIImages
from tokengate.formats.openai.rerank import OPENAI_RERANK
from tokengate.formats.openai.speech import OPENAI_SPEECH
from tokengate.formats.openai.transcription import OPENAI_TRANSCRIPTION
from tokengate.formats.openai.video_jobs import OpenAIVideos
from tokengate.providers.compatible import OpenAICompatible

_IMAGES: Final[ImageFormats] = {
    "generation": OpenAIImages(task="generation", has_events=True),
    "edit": OpenAIImages(task="edit", has_events=True),
    "variation": OpenAIImages(task="variation"),
}

PROVIDER = OpenAICompatible(
    name="openai_compatible",
    rerank=OPENAI_RERANK,
    moderates=True,
    speech=OPENAI_SPEECH,
    transcription=OPENAI_TRANSCRIPTION,
    jobs={
        "image": AtOnce(_IMAGES),
        "video": OpenAIVideos(lacks=frozenset({"audio"}), inlines=True, remixes=True, previews=True),
    },
    drawn=(OPENAI_CHAT,),
    images=_IMAGES,
)
