"""A client's request in the words of the vocabulary: every parameter of OpenAI's, and those that vendors add."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.formats.openai.chats import loads, read
from tokengate.core.chat import Canvas, JsonFormat, Output, Reasoning, Sampling, Search, Speech
from tokengate.core.errors import BadRequest
from tokengate.core.parts import CacheMark
from tokengate.formats.openai.chat_reader import read_chat

SEEDS = Path(__file__).parents[2] / "fixtures" / "seeds"
PAGES = [path for path in sorted(SEEDS.glob("???-request-*.json")) if "messages" in json.loads(path.read_bytes())]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_requests_of_the_product_pages_are_read(path: Path) -> None:
    page = json.loads(path.read_bytes())

    chat = read_chat(path.read_bytes())

    assert chat.model == page["model"]
    assert len(chat.messages) == len(page["messages"])
    assert chat.stream is page.get("stream", False)
    assert chat.essential == frozenset()


def test_sampling_has_every_word() -> None:
    given: dict[str, Any] = {
        "temperature": 0.5,
        "top_p": 0.9,
        "top_k": 20,
        "min_p": 0.05,
        "top_a": 0.1,
        "frequency_penalty": 0.1,
        "presence_penalty": -0.2,
        "repetition_penalty": 1.1,
        "seed": 2**63,
        "logit_bias": {"5": -100.0},
    }

    assert read(**given).sampling == Sampling(**given)


def test_output_has_every_word() -> None:
    chat = read(
        max_completion_tokens=5,
        n=2,
        stop=["END"],
        stop_token_ids=[7],
        logprobs=True,
        top_logprobs=3,
        modalities=["text", "audio"],
        audio={"voice": "alloy", "format": "wav"},
        image_config={"aspect_ratio": "16:9", "image_size": "2K", "strength": 0.5},
        verbosity="low",
    )

    assert chat.output == Output(
        cap=5,
        n=2,
        stop=("END",),
        stop_tokens=(7,),
        logprobs=True,
        top_logprobs=3,
        modalities=("text", "audio"),
        speech=Speech("alloy", "wav"),
        canvas=Canvas("16:9", "2K"),
        verbosity="low",
    )
    assert loads(chat.extra["image_config"]) == {"strength": 0.5}


def test_the_newer_name_of_the_cap_counts() -> None:
    assert read(max_tokens=9).output.cap == 9
    assert read(max_tokens=9, max_completion_tokens=5).output.cap == 5


@pytest.mark.parametrize(
    ("stop", "texts", "tokens"), [("x", ("x",), ()), (["x", "y"], ("x", "y"), ()), ([1, 2], (), (1, 2))]
)
def test_stop_is_a_text_or_texts_or_token_ids(stop: Any, texts: Any, tokens: Any) -> None:
    output = read(stop=stop).output

    assert (output.stop, output.stop_tokens) == (texts, tokens)


def test_a_schema_is_kept_as_it_was_written() -> None:
    schema = {"type": "object", "properties": {"b": {"type": "number"}, "a": {"const": 1.0}}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "description": "d", "schema": schema, "strict": True}}

    json_format = read(response_format=form).output.json

    assert json_format is not None and json_format.schema is not None
    assert (json_format.name, json_format.description, json_format.strict) == ("n", "d", True)
    assert bytes(json_format.schema) == json.dumps(schema, separators=(",", ":")).encode()


def test_json_can_be_asked_for_without_a_schema_and_text_is_nothing_special() -> None:
    assert read(response_format={"type": "json_object"}).output.json == JsonFormat()
    assert read(response_format={"type": "text"}).output.json is None


def test_a_format_that_nobody_else_has_stays_and_is_essential() -> None:
    form = {"type": "structural_tag", "structures": [1]}

    chat = read(response_format=form)

    assert loads(chat.extra["response_format"]) == form
    assert "response_format" in chat.essential


@pytest.mark.parametrize(
    ("given", "reasoning"),
    [
        ({"reasoning_effort": "high"}, Reasoning(effort="high")),
        ({"reasoning": {"effort": "low", "exclude": True}}, Reasoning(effort="low", shown=False)),
        ({"reasoning": {"enabled": True, "max_tokens": 100}}, Reasoning(enabled=True, budget=100)),
        ({"thinking": {"type": "disabled"}}, Reasoning(enabled=False)),
        ({"thinking": {"type": "enabled", "budget_tokens": 5}}, Reasoning(enabled=True, budget=5)),
        ({"thinking": {"type": "adaptive"}}, Reasoning(enabled=True, budget=-1)),
        ({"enable_thinking": True, "thinking_budget": 7}, Reasoning(enabled=True, budget=7)),
        ({"chat_template_kwargs": {"enable_thinking": False}}, Reasoning(enabled=False)),
        ({"chat_template_kwargs": {"thinking": True}}, Reasoning(enabled=True)),
        ({"thinking_token_budget": 9, "include_reasoning": False}, Reasoning(budget=9, shown=False)),
    ],
)
def test_reasoning_is_read_in_every_spelling(given: dict[str, Any], reasoning: Reasoning) -> None:
    assert read(**given).reasoning == reasoning


def test_what_is_left_of_a_spelling_stays() -> None:
    chat = read(
        thinking={"type": "enabled", "clear_thinking": False},
        chat_template_kwargs={"enable_thinking": True, "tone": "dry"},
        stream=True,
        stream_options={"include_usage": True, "include_obfuscation": False},
    )

    assert loads(chat.extra["thinking"]) == {"clear_thinking": False}
    assert loads(chat.extra["chat_template_kwargs"]) == {"tone": "dry"}
    assert loads(chat.extra["stream_options"]) == {"include_obfuscation": False}
    assert chat.include_usage


def test_a_search_is_asked_for_in_two_ways() -> None:
    options = {"search_context_size": "low"}

    openai = read(web_search_options=options).search
    qwen = read(enable_search=True, search_options={"forced_search": True}).search

    assert openai.enabled and openai.options is not None and loads(openai.options) == options
    assert qwen.enabled and qwen.options is not None and loads(qwen.options) == {"forced_search": True}
    assert read(enable_search=False).search == Search(enabled=False)


def test_what_only_qwen_has() -> None:
    chat = read(
        model="qwen-mt-turbo",
        translation_options={"source_lang": "Chinese", "target_lang": "English", "terms": []},
        vl_high_resolution_images=True,
        cache_control={"type": "ephemeral", "ttl": "1h"},
    )

    assert chat.translation is not None and loads(chat.translation)["terms"] == []
    assert chat.high_resolution_images is True
    assert chat.cache == CacheMark("1h")


@pytest.mark.parametrize(
    ("languages", "param"),
    [
        ({"source_lang": "Chinese"}, "target_lang"),
        ({"target_lang": "english"}, "target_lang"),
        ({"source_lang": "Klingon", "target_lang": "Urdu"}, "source_lang"),
        ({"target_lang": "auto"}, "target_lang"),
    ],
)
def test_the_translating_models_of_the_page_take_the_languages_of_the_page(languages: Any, param: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read(model="qwen-mt-plus", translation_options=languages)

    assert refusal.value.param == f"translation_options.{param}"
    assert read(model="qwen-mt-flash", translation_options=languages).translation is not None


def test_the_newer_name_of_the_user_counts_when_the_older_is_missing() -> None:
    assert read(user="u").user == "u"
    assert read(safety_identifier="s").user == "s"
    assert read(user="u", safety_identifier="s").user == "u"


def test_parameters_without_a_word_stay_as_they_are() -> None:
    chat = read(guided_json={"a": 1}, store=True, prompt_cache_key="k", bad_words=[], structured_outputs=True, x=1.50)

    assert {name: loads(raw) for name, raw in chat.extra.items()} == {
        "guided_json": {"a": 1},
        "store": True,
        "prompt_cache_key": "k",
        "bad_words": [],
        "structured_outputs": True,
        "x": 1.5,
    }
    assert chat.essential == {"guided_json"}  # the others change nothing, or ask for nothing


def test_a_voice_of_ones_own_stays() -> None:
    chat = read(audio={"voice": {"id": "v"}, "format": "wav"})

    assert chat.output.speech == Speech("", "wav")
    assert loads(chat.extra["audio"]) == {"voice": {"id": "v"}}
    assert "audio" in chat.essential


def test_null_is_as_good_as_absent() -> None:
    names = ("tools", "tool_choice", "response_format", "reasoning", "audio", "stop", "metadata", "x", "functions")

    assert read(**dict.fromkeys(names)) == read()


WRONG: list[tuple[dict[str, Any], str]] = [
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {"name": 1}}]}, "tools[0].function.name"),
        ({"tools": [{"function": {"name": "f"}}]}, "tools[0].type"),
        ({"tool_choice": "any"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {}}}, "tool_choice.function.name"),
        ({"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "none", "tools": [1]}}},
         "tool_choice.allowed_tools.mode"),
        ({"tool_choice": ["auto", "none"]}, "tool_choice"),
        ({"function_call": "required"}, "function_call"),
        ({"response_format": {}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"response_format": {"type": "json_schema", "json_schema": {}}}, "response_format.json_schema.name"),
        ({"reasoning_effort": "extreme"}, "reasoning_effort"),
        ({"reasoning": {"effort": 1}}, "reasoning.effort"),
        ({"reasoning": []}, "reasoning"),
        ({"thinking": {"type": "enabled", "budget_tokens": "x"}}, "thinking.budget_tokens"),
        ({"audio": {"voice": 1}}, "audio.voice"),
        ({"cache_control": {"ttl": "2h"}}, "cache_control.ttl"),
        ({"continue_final_message": True}, "continue_final_message"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "function", "name": "f", "content": "x"}]}, "messages[0].name"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0].image_url"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:x"}}]}]},
         "messages[0].content[0].image_url.url"),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]}, "messages[0].content[0].file"),
        ({"messages": [{"role": "user", "content": [{"type": "video", "video": [1]}]}]},
         "messages[0].content[0].video"),
        ({"messages": [{"role": "assistant", "content": "", "tool_calls": [{"type": "function"}]}]},
         "messages[0].tool_calls[0].id"),
        ({"messages": [{"role": "assistant", "content": "", "tool_calls": [{"id": "a", "type": "x"}]}]},
         "messages[0].tool_calls[0].type"),
]  # fmt: skip


@pytest.mark.parametrize(("members", "param"), WRONG)
def test_a_wrong_value_is_refused_by_its_own_name(members: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        read(**members)

    assert refusal.value.param == param


def test_what_is_deep_inside_a_parameter_is_text_too() -> None:
    body = b'{"model":"m","messages":[{"role":"user","content":"x"}],"thinking":{"\x80":1}}'

    with pytest.raises(BadRequest) as refusal:
        read_chat(body)

    assert refusal.value.param == "thinking"
