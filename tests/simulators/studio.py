"""Simulated vendors of all that is drawn, spoken, heard, filmed and composed, and the configuration that offers it.

with open_studio() as studio, GatewayProcess(folder, studio.config) as gateway:
    ...
"""

import json
from collections.abc import Generator
from contextlib import contextmanager

from msgspec import Struct

from tests.simulators import dashscope_task_rules, film_upstream, music_vendor, openai_vendor
from tests.simulators.cqtai_vendor import CqtaiSimulator
from tests.simulators.dashscope_upstream import DashScope
from tests.simulators.film_upstream import FilmSimulator
from tests.simulators.openai_upstream import Call, ThreadedUpstream
from tests.simulators.openai_vendor import OpenAISimulator

IMAGE_MODEL = "gpt-image-2"
SPEECH_MODEL, TRANSCRIPTION_MODEL = "tts-1-hd", "whisper-1"
FILM_MODEL = "wan-t2v"
MUSIC_MODELS = ("sunoV2", "chirp-crow")
_SONG_PRICE = '[[model]]\nid = "sunoV2"\nprice = { request = "0.5" }\n'


class Studio(Struct, frozen=True):
    """`config` has an upstream for each vendor."""

    config: str
    upstreams: tuple[ThreadedUpstream | DashScope, ...]

    def calls(self) -> list[Call]:
        """Return what the vendors were asked to make, without questions about jobs and downloads of what they made."""
        return [call for one in self.upstreams for call in one.calls if call.method == "POST"]


@contextmanager
def open_studio(*, looks: int = 2) -> Generator[Studio]:
    """Start the vendors; a film or a song is done at so many looks of the gateway."""
    films = FilmSimulator("vllm", looks=looks, model=FILM_MODEL)
    with (
        ThreadedUpstream() as painter,
        ThreadedUpstream(OpenAISimulator()) as voice,
        ThreadedUpstream(films) as cinema,
        ThreadedUpstream(CqtaiSimulator(looks=looks)) as band,
        DashScope() as dashscope,
    ):
        config = "".join(
            (
                _upstream("painter", "openai_compatible", painter.url, "sk-none", IMAGE_MODEL),
                _upstream("voice", "openai", voice.url, openai_vendor.KEY, SPEECH_MODEL, TRANSCRIPTION_MODEL),
                _upstream("cinema", "vllm", cinema.url, film_upstream.KEY, FILM_MODEL),
                _upstream("band", "cqtai", band.url.removesuffix("/v1"), music_vendor.KEY, *MUSIC_MODELS),
                _upstream(
                    "dashscope",
                    "dashscope_native",
                    dashscope.url,
                    dashscope.key,
                    *dashscope_task_rules.TASK_MODELS,
                ),
                _SONG_PRICE,
                '[outbound]\nprivate_hosts = ["127.0.0.1"]\n',
            )
        )
        yield Studio(config, (painter, voice, cinema, band, dashscope))


def _upstream(name: str, provider: str, url: str, key: str, *models: str) -> str:
    return (
        f'[[upstream]]\nname = "{name}"\nprovider = "{provider}"\nbase_url = "{url}"\napi_key = "{key}"\n'
        f"models = {json.dumps(models)}\n"
    )
