"""What DashScope's models can be asked for arrives in the words of the vendor's service that is asked, its own or its
compatible mode, whichever of the two formats the caller speaks."""

from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from tests.formats.dashscope.wire import fixture
from tests.hosted import CHAT, hosted, sells, upstream
from tests.simulators.openai_upstream import Call, Reply, Upstream, by_model

SERVICES = "/api/v1/services/aigc"
FILM, PICTURE, SOUND = (f"https://media.example/{name}" for name in ("film.mp4", "dog.jpg", "talk.wav"))
FRAMES = [f"https://media.example/{number}.jpg" for number in range(4)]
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
LOOP: list[dict[str, Any]] = [
    {"role": "user", "content": "weather?"},
    {
        "role": "assistant",
        "content": "",
        "reasoning_content": "A tool knows.",
        "tool_calls": [
            {"id": "c1", "type": "function", "index": 0, "function": {"name": "get_weather", "arguments": "{}"}}
        ],
    },
    {"role": "tool", "content": "sunny", "tool_call_id": "c1"},
]


class Wish(Struct, frozen=True):
    """The same wish in both formats: the parts of the user's content, and the parameters."""

    name: str
    model: str
    compatible: list[dict[str, Any]]
    native: list[dict[str, Any]]
    parameters: dict[str, Any] = {}


def part(kind: str, value: Any, **hints: Any) -> dict[str, Any]:
    return {"type": kind, kind: value, **hints}


TEXT = [{"type": "text", "text": "hi"}]
WISHES = [
    Wish(
        "film",
        "qwen-vl-max",
        [part("video_url", {"url": FILM}, fps=2), *TEXT],
        [{"video": FILM, "fps": 2}, {"text": "hi"}],
    ),
    Wish("frames", "qwen-vl-max", [part("video", FRAMES, fps=2), *TEXT], [{"video": FRAMES, "fps": 2}, {"text": "hi"}]),
    Wish(
        "picture",
        "qwen-vl-max",
        [part("image_url", {"url": PICTURE}, min_pixels=3136, max_pixels=401408), *TEXT],
        [{"image": PICTURE, "min_pixels": 3136, "max_pixels": 401408}, {"text": "hi"}],
        {"vl_high_resolution_images": True},
    ),
    Wish(
        "sound",
        "qwen3-omni-flash",
        [part("input_audio", {"data": SOUND, "format": "wav"}), *TEXT],
        [{"audio": SOUND}, {"text": "hi"}],
    ),
    Wish(
        "search",
        "qwen-plus",
        TEXT,
        [{"text": "hi"}],
        {"enable_search": True, "search_options": {"forced_search": True, "search_strategy": "max"}},
    ),
    Wish("thinking", "qwen-plus", TEXT, [{"text": "hi"}], {"enable_thinking": True, "thinking_budget": 500}),
    Wish(
        "translation",
        "qwen-mt-plus",
        TEXT,
        [{"text": "hi"}],
        {
            "translation_options": {
                "source_lang": "auto",
                "target_lang": "English",
                "terms": [{"source": "代码", "target": "code"}],
                "domains": "IT",
            }
        },
    ),
]


async def sent_to(
    provider: str, folder: Path, model: str, path: str, body: dict[str, Any], headers: dict[str, str]
) -> Call:
    """Return the call that a body leads to at a backend."""
    events = Reply(headers={"content-type": "text/event-stream"}, pieces=[fixture("message.sse")])
    native = Reply(headers={"content-type": "application/json"}, body=fixture("message.json"))

    def script(call: Call) -> Reply:
        if call.path.endswith("/responses"):
            return Reply(headers={"content-type": "application/json"}, body=_RESPONSE.read_bytes())
        if provider != "dashscope_native":
            return by_model(call)
        return events if call.headers.get("x-dashscope-sse") else native

    async with Upstream(script) as simulator:
        config = upstream(simulator.url, model, provider=provider, api_key="k")
        if model == "qwen3-omni-flash":  # the catalogue does not have it
            config += sells(model, input="0.001")
        async with hosted(folder, config, balances={"main": "1000"}) as gateway:
            answer = await gateway.post(body, path, headers=headers)
    assert answer.status == 200, answer.body
    assert "x-tokengate-warning" not in answer.headers
    return simulator.calls[0]


def asked_natively(model: str, messages: Any, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"model": model, "input": {"messages": messages}, "parameters": parameters}


@pytest.mark.parametrize("provider", ["dashscope", "dashscope_native"])
@pytest.mark.parametrize("caller", ["openai", "dashscope"])
@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: wish.name)
async def test_a_wish_arrives_in_the_words_of_the_vendors_service(
    tmp_path: Path, wish: Wish, caller: str, provider: str
) -> None:
    headers: dict[str, str] = {}
    if caller == "openai":
        path, messages = CHAT, [{"role": "user", "content": wish.compatible}]
        body: dict[str, Any] = {"model": wish.model, "messages": messages, **wish.parameters, "stream": True}
    else:
        path, messages = f"{SERVICES}/multimodal-generation/generation", [{"role": "user", "content": wish.native}]
        body = asked_natively(wish.model, messages, {**wish.parameters, "incremental_output": True})
        headers = {"x-dashscope-sse": "enable"}

    call = await sent_to(provider, tmp_path, wish.model, path, body, headers)

    if provider == "dashscope":
        (message,) = call.json["messages"]
        assert _as_parts(message["content"]) == wish.compatible
        assert call.json.items() >= wish.parameters.items()
    else:
        (message,) = call.json["input"]["messages"]
        assert _as_entries(message["content"]) == wish.native
        assert call.json["parameters"].items() >= wish.parameters.items()


@pytest.mark.parametrize("provider", ["dashscope", "dashscope_native"])
@pytest.mark.parametrize("caller", ["openai", "dashscope"])
async def test_thinking_and_tools_go_round_in_both_services(tmp_path: Path, caller: str, provider: str) -> None:
    wanted = {"tools": [WEATHER], "parallel_tool_calls": True, "enable_thinking": True}
    if caller == "openai":
        path, body = CHAT, {"model": "qwen-plus", "messages": LOOP, **wanted}
    else:
        path = f"{SERVICES}/text-generation/generation"
        body = asked_natively("qwen-plus", LOOP, {**wanted, "result_format": "message"})

    call = await sent_to(provider, tmp_path, "qwen-plus", path, body, {})

    told = call.json if provider == "dashscope" else call.json["input"]
    said, result = told["messages"][1:]
    assert said["reasoning_content"] == "A tool knows."
    assert said["tool_calls"][0]["function"] == LOOP[1]["tool_calls"][0]["function"]
    assert (result["tool_call_id"], result["content"]) == ("c1", "sunny")
    parameters = call.json if provider == "dashscope" else call.json["parameters"]
    assert parameters["tools"][0]["function"]["name"] == "get_weather"
    assert parameters.items() >= {"parallel_tool_calls": True, "enable_thinking": True}.items()


@pytest.mark.parametrize("path", [CHAT, f"{SERVICES}/text-generation/generation"])
async def test_a_searching_model_of_the_catalogue_searches(tmp_path: Path, path: str) -> None:
    asked = TEXT[0]["text"] if path != CHAT else [TEXT[0]]
    messages = [{"role": "user", "content": asked}]
    body = {"model": "gpt-5.2-search", "messages": messages}
    if path != CHAT:
        body = asked_natively("gpt-5.2-search", messages, {"result_format": "message"})

    call = await sent_to("openai", tmp_path, "gpt-5.2-search", path, body, {})

    assert (call.json["model"], call.json["tools"]) == ("gpt-5.2", [{"type": "web_search"}])


_RESPONSE = Path(__file__).parents[1] / "fixtures" / "responses" / "text.reply.json"


def _as_parts(content: Any) -> Any:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _as_entries(content: Any) -> Any:
    return [{"text": content}] if isinstance(content, str) else content
