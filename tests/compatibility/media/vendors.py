"""The vendors that make media, simulated: which models they have for what, and what they do not offer."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol
from unittest.mock import patch

from msgspec import Struct

from tests.compatibility.media.rows import Kind, Row, Section
from tests.engines.support import DATA
from tests.simulators import film_upstream, gemini_upstream, music_vendor, openai_speech, openai_transcription
from tests.simulators.cqtai_vendor import CqtaiSimulator
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.film_upstream import FilmSimulator
from tests.simulators.gemini_upstream import GeminiUpstream
from tests.simulators.image_upstream import KEY, ImageSimulator
from tests.simulators.omni_painter import EDITOR, OmniPainter
from tests.simulators.openai_speech import QWEN, VllmOmniSimulator
from tests.simulators.openai_transcription import WHISPER, VllmSimulator
from tests.simulators.openai_upstream import Call, Reply, ThreadedUpstream
from tests.simulators.openai_vendor import OpenAISimulator
from tests.simulators.painting_vendor import PAINTER, PaintingSimulator
from tests.simulators.sunoapi_vendor import SunoApiSimulator
from tokengate.core.http import Exchange, HttpRequest
from tokengate.engines import weights
from tokengate.engines.piper import SpeechEngine
from tokengate.engines.whisper import TranscriptionEngine

# What a model of a kind costs; a test looks at no bill here.
_PRICES: Mapping[Kind, str] = {
    "image": 'image = "0.1"',
    "speech": 'character = "0.001"',
    "transcription": 'second = "0.001"',
    "video": 'second = "0.1"',
    "music": 'request = "0.5"',
}


# What models of pictures are asked for: at once, from words and other pictures, and as tasks.
_PICTURES = ("image draw", "image edit", "image paint", "image change")


class Running(Protocol):
    """A vendor's simulator, started."""

    @property
    def calls(self) -> Sequence["Asked"]: ...


class Asked(Protocol):
    """A request that arrived."""

    path: str
    body: bytes


Started = tuple[Running, str, str]  # the simulator, its base URL, its key


class Vendor(Struct, frozen=True, kw_only=True):
    """One provider. `models` are the vendor's names by the kind and by what of it they are asked for, such as
    `image draw`; `lacks` are capabilities that it does not offer, by its own documents: `section.row`."""

    id: str
    title: str
    provider: str
    start: Callable[[], AbstractContextManager[Started]]
    models: Mapping[str, str]
    lacks: frozenset[str]
    voice: str = "alloy"
    film_size: str = "1280x720"
    film_seconds: str = "8"

    def makes(self, kind: Kind) -> bool:
        """Say whether it makes such media at all."""
        return any(name.startswith(f"{kind} ") for name in self.models)

    def model(self, section: Section, row: Row) -> str:
        """Return the gateway's name of the model for a row."""
        wanted = (f"{section.kind} {row.model or section.model}", f"{section.kind} {section.model}")
        own = (name for name in self.models if name.startswith(f"{section.kind} "))
        return _ours(self.id, next(name for name in (*wanted, *own) if name in self.models))

    def config(self, url: str, key: str) -> str:
        """Return its part of a gateway's configuration."""
        mapped = ", ".join(f'"{_ours(self.id, name)}" = "{theirs}"' for name, theirs in self.models.items())
        return (
            f'[[upstream]]\nname = "{self.id}"\nprovider = "{self.provider}"\nbase_url = "{url}"\n'
            f'api_key = "{key}"\nmodels = {{ {mapped} }}\n{self.sold()}'
        )

    def sold(self) -> str:
        """Return what its models cost."""
        return "".join(
            f'[[model]]\nid = "{_ours(self.id, name)}"\nkind = "{kind}"\nprice = {{ {_PRICES[kind]} }}\n'
            for name in self.models
            for kind in _PRICES
            if name.startswith(f"{kind} ")
        )


class _Local(Vendor, frozen=True, kw_only=True):
    """The models in this process. They are no upstream: each is an engine, which `models` names by its kind."""

    def config(self, url: str, key: str) -> str:
        """Return its part of a gateway's configuration."""
        off = "".join(f"[engine.{kind}]\nenabled = false\n" for kind in ("chat", "embedding"))
        on = (f'[engine.{name.split()[0]}]\nmodel = "{_ours(self.id, name)}"\n' for name in self.models)
        return off + "".join(on) + self.sold()


def _ours(vendor: str, name: str) -> str:
    return f"{vendor}-{name.replace(' ', '-')}"


def _of(section: str, rows: str) -> frozenset[str]:
    """Return what a vendor lacks of a section."""
    return frozenset(f"{section}.{row}" for row in rows.split())


# Of vendors none of whose models draws in a chat.
_NO_CHATS = _of("openai_chat_images", "words beside stream edit again aspect size seed") | _of(
    "gemini_images", "words beside stream edit again aspect size seed"
)


@contextmanager
def _of_openais_shape(
    images: ImageSimulator, films: FilmSimulator, openai: OpenAISimulator | None = None
) -> Generator[Started]:
    """Start a server of OpenAI's shape: with the voices and ears of OpenAI, or with those of vLLM."""
    voice, ear = VllmOmniSimulator(), VllmSimulator()

    def script(call: Call) -> Reply:
        if call.path.startswith(("/v1/images/", "/pictures/")):
            return images(call)
        if isinstance(images, OmniPainter) and call.path == "/v1/chat/completions":
            return images(call)
        if call.path.startswith("/v1/videos"):
            return films(call)
        if openai is not None:
            return openai(call)
        spoken = call.path == "/v1/audio/speech"
        if call.headers.get("authorization") == f"Bearer {KEY}":  # a server has one key for all of them
            call.headers["authorization"] = f"Bearer {openai_speech.KEY if spoken else openai_transcription.KEY}"
        return voice(call) if spoken else ear(call)

    assert film_upstream.KEY == KEY, "one key for all"
    with ThreadedUpstream(script) as upstream:
        images.base_url = upstream.url.removesuffix("/v1")
        yield upstream, upstream.url, KEY


@contextmanager
def _google() -> Generator[Started]:
    with GeminiUpstream() as upstream:
        yield upstream, upstream.base_url, gemini_upstream.KEY


@contextmanager
def _dashscope() -> Generator[Started]:
    with DashScope() as vendor:
        yield vendor, vendor.url, vendor.key


def _of_music(simulator: CqtaiSimulator | SunoApiSimulator) -> "AbstractContextManager[Started]":
    @contextmanager
    def opened() -> Generator[Started]:
        with ThreadedUpstream(simulator) as upstream:
            yield upstream, upstream.url.removesuffix("/v1"), music_vendor.KEY

    return opened()


class _Arrived(Struct):
    """What an engine was asked."""

    path: str
    body: bytes


class _Engines:
    """The engines of speech, which are the real ones. It remembers what they were asked."""

    def __init__(self) -> None:
        self.calls: list[_Arrived] = []

    def heard(self, engine: type[SpeechEngine] | type[TranscriptionEngine]) -> "AbstractContextManager[object]":
        """Remember what an engine is asked."""
        send = engine.send

        async def noted(asked: Any, request: HttpRequest) -> Exchange:
            upload = request.upload
            body = request.body if upload is None else b"".join(upload.pieces())
            self.calls.append(_Arrived(request.url, body))
            return await send(asked, request)

        return patch.object(engine, "send", noted)


@contextmanager
def _inside() -> Generator[Started]:
    for wanted in (weights.JOE, weights.WHISPER):
        weights.pull(DATA, wanted)
    engines = _Engines()
    with engines.heard(SpeechEngine), engines.heard(TranscriptionEngine):
        yield engines, "", ""


OPENAI = Vendor(
    id="openai",
    title="OpenAI",
    provider="openai",
    start=lambda: _of_openais_shape(ImageSimulator("openai"), FilmSimulator("openai", looks=1), OpenAISimulator()),
    models={
        **dict.fromkeys(_PICTURES, "gpt-image-1"),
        "speech speak": "gpt-4o-mini-tts",
        "transcription hear": "gpt-4o-transcribe",
        "transcription timed": "whisper-1",
        "transcription recordings": "whisper-1",
        "transcription speakers": "gpt-4o-transcribe-diarize",
        "video film": "sora-2",
    },
    lacks=_NO_CHATS
    | _of("dashscope_image_tasks", "negative_prompt seed")
    | _of("dashscope_video_tasks", "negative_prompt seed prompt_extend watermark")
    | _of("openai_images", "style negative_prompt seed url variation")
    | _of("dashscope_images", "negative_prompt seed prompt_extend watermark")
    | _of("openai_speech", "language")
    | _of("dashscope_speech", "language")
    | _of("openai_videos", "negative_prompt seed sound prompt_extend watermark"),
)
GOOGLE = Vendor(
    id="google",
    title="Google",
    provider="google",
    start=_google,
    models=dict.fromkeys(_PICTURES, "gemini-3-pro-image-preview"),
    lacks=_of("dashscope_image_tasks", "several negative_prompt")
    | _of(
        "openai_images",
        "several quality background format compression style negative_prompt url partial mask fidelity variation",
    )
    | _of("dashscope_images", "several negative_prompt prompt_extend watermark"),
)
DASHSCOPE = Vendor(
    id="dashscope",
    title="DashScope",
    provider="dashscope_native",
    start=_dashscope,
    models={
        "image draw": "wan2.6-t2i",
        "image edit": "qwen-image-edit-plus",
        "image paint": "wan2.5-t2i-preview",
        "image change": "wan2.5-i2i-preview",
        "speech speak": "qwen3-tts-flash",
        "speech instructed": "qwen3-tts-instruct-flash",
        "transcription hear": "qwen3-asr-flash",
        "transcription recordings": "paraformer-v2",
        "video film": "wan2.5-t2v-preview",
        "video animate": "wan2.5-i2v-preview",
    },
    lacks=_NO_CHATS
    | _of("openai_images", "quality background format compression style partial mask fidelity variation")
    | _of("openai_speech", "format_mp3 format_opus format_aac format_flac speed")
    | _of("openai_transcription", "srt vtt verbose_json words speakers temperature translation")
    | _of("openai_videos", "remix"),
    voice="Cherry",
    film_seconds="10",
)
VLLM = Vendor(
    id="vllm",
    title="vLLM",
    provider="vllm",
    start=lambda: _of_openais_shape(OmniPainter(), FilmSimulator("vllm", looks=1)),
    models={
        "image draw": "Qwen/Qwen-Image",
        "image paint": "Qwen/Qwen-Image",
        "image edit": EDITOR,
        "image change": EDITOR,
        "speech speak": QWEN,
        **dict.fromkeys(("transcription hear", "transcription recordings"), WHISPER),
        "video film": film_upstream.WAN,
    },
    lacks=_of("openai_chat_images", "beside")
    | _of("gemini_images", "beside")
    | _of("dashscope_video_tasks", "prompt_extend watermark")
    | _of("openai_images", "quality background compression style url partial mask fidelity variation")
    | _of("dashscope_images", "prompt_extend watermark")
    | _of("openai_speech", "format_aac")
    | _of("openai_transcription", "words speakers")
    | _of("openai_videos", "prompt_extend watermark remix"),
    voice="Vivian",
    film_size="832x480",
)
COMPATIBLE = Vendor(
    id="openai_compatible",
    title="A compatible server",
    provider="openai_compatible",
    start=lambda: _of_openais_shape(ImageSimulator("addresses"), FilmSimulator("openai", looks=1), PaintingSimulator()),
    models={
        **dict.fromkeys(_PICTURES, PAINTER),
        "speech speak": "gpt-4o-mini-tts",
        "transcription hear": "gpt-4o-transcribe",
        "transcription timed": "whisper-1",
        "transcription recordings": "whisper-1",
        "transcription speakers": "gpt-4o-transcribe-diarize",
        "video film": "sora-2",
    },
    lacks=_of("dashscope_video_tasks", "negative_prompt seed prompt_extend watermark")
    | _of("openai_images", "quality background style stream partial fidelity edit_stream")
    | _of("dashscope_images", "prompt_extend watermark")
    | _of("openai_speech", "language")
    | _of("dashscope_speech", "language")
    | _of("openai_transcription", "speakers")
    | _of("openai_videos", "negative_prompt seed sound prompt_extend watermark"),
)
CQTAI = Vendor(
    id="cqtai",
    title="CQTAI",
    provider="cqtai",
    start=lambda: _of_music(CqtaiSimulator(looks=1)),
    models={"music music": "chirp-crow"},
    lacks=frozenset(),
)
SUNOAPI = Vendor(
    id="sunoapi",
    title="sunoapi.org",
    provider="sunoapi",
    start=lambda: _of_music(SunoApiSimulator(looks=1)),
    models={"music music": "chirp-v4"},
    lacks=_of("suno_v2", "cover concat beats"),
)
LOCAL = _Local(
    id="local",
    title="The local models",
    provider="local",
    start=_inside,
    models={"speech speak": "piper-joe", "transcription hear": "whisper-tiny.en"},
    lacks=_of("openai_speech", "instructions events") | _of("openai_transcription", "speakers translation"),
    voice="joe",
)
VENDORS = (OPENAI, GOOGLE, DASHSCOPE, VLLM, COMPATIBLE, LOCAL, CQTAI, SUNOAPI)
