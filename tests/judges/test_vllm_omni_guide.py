"""The guide to vLLM-Omni says what happens: its configuration runs before simulated servers, its samples make files,
calls cost what it says, and what it says is refused is refused before a server is asked."""

import base64
import json
import os
import re
import subprocess
import tomllib
from collections.abc import Generator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec import Struct

from tests.e2e.gateway import GatewayProcess
from tests.judges.scripts import python_of, run_python
from tests.simulators.film_upstream import FilmSimulator
from tests.simulators.image_upstream import KEY, png
from tests.simulators.omni_painter import OmniPainter
from tests.simulators.openai_speech import LANGUAGES, SPEAKERS, VllmOmniSimulator
from tests.simulators.openai_upstream import ThreadedUpstream
from tokengate.core.media.look import Look

GUIDES = {
    lang: (Path(__file__).parents[2] / "docs" / "guide" / f"vllm-omni.{lang}.md").read_text() for lang in ("en", "zh")
}
SPOKEN = "Qwen3-TTS-12Hz-1.7B-CustomVoice"
CHAT = {"model": "qwen-image", "messages": [{"role": "user", "content": "a"}]}
GATEWAY = "http://127.0.0.1:8700"

each_language = pytest.mark.parametrize("lang", GUIDES)


class Place(Struct, frozen=True):
    gateway: GatewayProcess
    servers: dict[str, OmniPainter | VllmOmniSimulator | FilmSimulator]  # by the caller's name of the model


def blocks(lang: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDES[lang], re.DOTALL)


def upstreams(lang: str) -> list[dict[str, Any]]:
    return tomllib.loads(blocks(lang, "toml")[0])["upstream"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Generator[Place]:
    servers: dict[str, OmniPainter | VllmOmniSimulator | FilmSimulator] = {
        "qwen-image": OmniPainter(),
        "qwen-image-edit": OmniPainter(),
        SPOKEN: VllmOmniSimulator(key=KEY),
        "wan-t2v": FilmSimulator("vllm", looks=1),
        "wan-i2v": FilmSimulator("vllm", looks=1, model="Wan-AI/Wan2.2-I2V-A14B-Diffusers"),
    }
    (config,) = blocks("en", "toml")
    running: list[ThreadedUpstream] = []
    try:
        for upstream in upstreams("en"):
            (model,) = upstream["models"]
            running.append(ThreadedUpstream(servers[model]).__enter__())
            config = config.replace(upstream["base_url"], running[-1].url)
        folder = tmp_path_factory.mktemp("omni")
        with GatewayProcess(folder, config, environ={"GPU_KEY": KEY}) as gateway:
            yield Place(gateway, servers)
    finally:
        for server in running:
            server.__exit__(None, None, None)


def client_of(place: Place, key: str) -> httpx.Client:
    return httpx.Client(base_url=place.gateway.url, headers={"authorization": f"Bearer {key}"}, timeout=30)


def media_type(path: Path) -> str | None:
    look = Look()
    look.feed(path.read_bytes())
    assert look.end().media_type == look.media_type
    return look.media_type


@each_language
def test_its_samples_make_pictures_speech_and_films_that_cost_what_it_says(
    place: Place, lang: str, tmp_path: Path
) -> None:
    key = place.gateway.create_key("100")
    for code in python_of(f"vllm-omni.{lang}.md"):
        run_python(code.replace(GATEWAY, place.gateway.url), tmp_path, key)
    curl = subprocess.run(
        ["bash", "-c", blocks(lang, "bash")[-1].replace(GATEWAY, place.gateway.url)],
        capture_output=True,
        text=True,
        env=os.environ | {"TOKENGATE_API_KEY": key},
        cwd=tmp_path,
        timeout=60,
    )
    assert curl.returncode == 0, curl.stderr
    second = json.loads(curl.stdout)

    with client_of(place, key) as client:
        job = second["id"].replace("video_", "job_")
        with client.stream("GET", f"/v1/jobs/{job}/events") as events:
            events.read()
        film = client.get(f"/v1/videos/{second['id']}").json()
        left = Decimal(client.get("/v1/balance").json()["balance"])

    assert film["status"] == "completed"
    types = {path.name: media_type(path) for path in tmp_path.iterdir()}
    assert types == {
        "shiba.png": "image/png",
        "beach.png": "image/png",
        "boat.png": "image/png",
        "speech.wav": "audio/wav",
        "kitten.mp4": "video/mp4",
    }
    costs = ("0.1", "0.12", "0.04", "0.12", {"en": "0.00352", "zh": "0.00104"}[lang], "1", "1")
    assert all(cost in GUIDES[lang] for cost in costs)
    assert Decimal(100) - left == pytest.approx(sum(map(Decimal, costs)), abs=Decimal("0.0001"))  # four places are told


def test_both_languages_have_the_same_configuration_and_the_servers_are_those_that_it_names() -> None:
    assert blocks("en", "toml") == blocks("zh", "toml")
    assert blocks("en", "bash")[:2] == blocks("zh", "bash")[:2]
    served = dict(re.findall(r"vllm serve (\S+) --omni --port (\d+)", blocks("en", "bash")[1]))
    named = {theirs: one["base_url"] for one in upstreams("en") for theirs in one["models"].values()}
    assert named == {model: f"http://10.0.0.5:{port}/v1" for model, port in served.items()}


@each_language
def test_the_speakers_and_languages_are_the_servers(lang: str) -> None:
    (speakers,) = re.findall(r"\| `voice` \| .*", GUIDES[lang])
    (languages,) = re.findall(r"\| `language` \| .*", GUIDES[lang])

    assert all(speaker in speakers for speaker in SPEAKERS)
    assert all(f"`{language}`" in languages for language in LANGUAGES)


@pytest.mark.parametrize(
    ("path", "body", "param"),
    [
        ("images/generations", {"model": "qwen-image", "prompt": "a", "response_format": "url"}, "response_format"),
        ("images/generations", {"model": "qwen-image", "prompt": "a", "background": "transparent"}, "background"),
        ("images/edits", {"model": "qwen-image-edit", "prompt": "a", "image": "$picture", "mask": "$picture"}, "mask"),
        ("images/variations", {"model": "qwen-image-edit", "image": "$picture"}, "model"),
        ("chat/completions", {**CHAT, "n": 2}, "n"),
        ("chat/completions", {**CHAT, "num_outputs_per_prompt": 2}, "num_outputs_per_prompt"),
        ("chat/completions", {**CHAT, "tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ("chat/completions", {**CHAT, "response_format": {"type": "json_object"}}, "response_format"),
        ("chat/completions", {**CHAT, "logprobs": True}, "logprobs"),
        ("chat/completions", {**CHAT, "lora": {"name": "a", "path": "/a"}}, "lora"),
        ("chat/completions", {**CHAT, "extra_args": {"a": 1}}, "extra_args"),
        ("audio/speech", {"model": SPOKEN, "voice": "ryan", "input": "a", "response_format": "aac"}, "response_format"),
        ("audio/speech", {"model": SPOKEN, "voice": "ryan", "input": "a", "stream_format": "sse"}, "stream_format"),
        (
            "audio/speech",
            {
                "model": SPOKEN,
                "voice": "ryan",
                "input": "a",
                "response_format": "wav",
                "stream_format": "sse",
                "speed": 2,
            },
            "speed",
        ),
        ("videos", {"model": "wan-t2v", "prompt": "a", "width": 832}, "width"),
        ("videos", {"model": "wan-t2v", "prompt": "a", "lora": "{}"}, "lora"),
        ("videos", {"model": "wan-t2v", "prompt": "a", "extra_params": "{}"}, "extra_params"),
        ("videos", {"model": "wan-t2v", "prompt": "a", "watermark": True}, "watermark"),
        ("images/edits", {"model": "qwen-image-edit", "prompt": "a", "image": "$cut"}, "image"),
        ("videos", {"model": "wan-i2v", "prompt": "a", "input_reference": "$cut"}, "input_reference"),
    ],
)
def test_what_it_says_is_refused_is_refused_by_name(place: Place, path: str, body: dict[str, Any], param: str) -> None:
    picture = png(64, 64)
    kinds = {"$picture": picture, "$cut": picture[:-20]}
    sent = {
        name: f"data:image/png;base64,{base64.b64encode(kinds[value]).decode()}"
        if isinstance(value, str) and value in kinds
        else value
        for name, value in body.items()
    }
    asked = {name: len(server.asked) for name, server in place.servers.items()}

    with client_of(place, place.gateway.create_key("100")) as client:
        answer = client.post(f"/v1/{path}", json=sent)
        balance = client.get("/v1/balance").json()["balance"]

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), answer.text
    assert {name: len(server.asked) for name, server in place.servers.items()} == asked
    assert balance == "100"


def test_what_does_not_change_the_picture_is_left_out_with_a_warning(place: Place) -> None:
    with client_of(place, place.gateway.create_key("100")) as client:
        answer = client.post(
            "/v1/images/generations",
            json={"model": "qwen-image", "prompt": "a", "quality": "high", "style": "vivid", "moderation": "low"},
        )

    assert answer.status_code == 200
    warned = answer.headers["x-tokengate-warning"]
    assert all(name in warned for name in ("quality", "style", "moderation"))
