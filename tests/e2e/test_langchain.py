"""LangChain's OpenAI classes against a real gateway process, used as the product pages use them."""

import json
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any

import httpx
import openai
import pytest
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import SecretStr

from tests.e2e.customer import LOCAL_CHAT, LOCAL_EMBEDDING, SEEDS, Customer, seed_stream, whole
from tests.simulators.openai_upstream import completion, usage_of

PICTURE: Any = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "这是什么"},
            {"type": "image_url", "image_url": {"url": "https://images.example/dog_and_girl.jpeg"}},
        ],
    }
]
WEATHER: Any = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
MODEL = "qwen-vl-plus"


ChatModel = Callable[..., ChatOpenAI]


@pytest.fixture
async def clients() -> AsyncGenerator[dict[str, Any]]:
    """HTTP clients for one test: LangChain would keep its own ones open for ever."""
    async with httpx.AsyncClient(timeout=60) as waiting:
        with httpx.Client(timeout=60) as blocking:
            yield {"http_client": blocking, "http_async_client": waiting}


@pytest.fixture
def chat_model(customer: Customer, clients: dict[str, Any]) -> ChatModel:
    key = SecretStr(customer.key)
    return partial(
        ChatOpenAI, base_url=f"{customer.url}/compatible-mode/v1", api_key=key, model=MODEL, max_retries=0, **clients
    )


def test_invoke_gives_text_and_usage_as_on_the_page(customer: Customer, chat_model: ChatModel):
    page = json.loads((SEEDS / "004-reply-1.json").read_bytes())
    customer.answer(whole(page), model=MODEL)

    message = chat_model().invoke(PICTURE)

    usage = page["usage"]
    assert message.content == page["choices"][0]["message"]["content"]
    assert message.response_metadata["model_name"] == MODEL
    assert message.response_metadata["finish_reason"] == "stop"
    assert message.response_metadata["token_usage"].items() >= usage.items()
    assert message.usage_metadata is not None
    assert message.usage_metadata["input_tokens"] == usage["prompt_tokens"]
    assert message.usage_metadata["output_tokens"] == usage["completion_tokens"]
    assert message.usage_metadata["total_tokens"] == usage["total_tokens"]
    assert customer.calls[0].json["messages"] == PICTURE
    assert customer.bills()[0]["cost"] == "0.015258"  # 2543 tokens at 0.006 a thousand


@pytest.mark.filterwarnings("ignore:WARNING! stream_options is not default parameter")  # the page sets it so
def test_stream_ends_with_usage_as_on_the_page(customer: Customer, chat_model: ChatModel):
    customer.answer(seed_stream("004-stream-1.sse"), model=MODEL)

    chunks = list(chat_model(stream_options={"include_usage": True}).stream(PICTURE))

    text = "".join(str(chunk.content) for chunk in chunks)
    assert text.startswith("图中是一名女子和她的狗在沙滩上互动。")
    assert text.endswith("与宠物之间的友谊时刻。")
    counted = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
    assert [(usage["input_tokens"], usage["output_tokens"]) for usage in counted] == [(1276, 79)]
    assert len([chunk for chunk in chunks if chunk.content]) == 13  # one for each of the vendor's


async def test_the_asynchronous_stream_is_the_same(customer: Customer, chat_model: ChatModel):
    customer.answer(seed_stream("004-stream-1.sse"), model=MODEL)

    chunks = [chunk async for chunk in chat_model(stream_usage=True).astream(PICTURE)]

    assert "".join(str(chunk.content) for chunk in chunks).endswith("与宠物之间的友谊时刻。")
    assert [chunk.usage_metadata["total_tokens"] for chunk in chunks if chunk.usage_metadata] == [1355]


def test_a_bound_tool_is_called(customer: Customer, chat_model: ChatModel):
    answered = completion(customer.model, "", usage_of(40, 12))
    function = {"name": "get_weather", "arguments": '{"city": "北京"}'}
    answered["choices"][0]["finish_reason"] = "tool_calls"
    answered["choices"][0]["message"]["tool_calls"] = [{"id": "call_1", "type": "function", "function": function}]
    customer.answer(whole(answered))

    message = (
        chat_model(model=customer.model).bind(tools=[{"type": "function", "function": WEATHER}]).invoke("北京天气如何?")
    )

    assert [(call["name"], call["args"]) for call in message.tool_calls] == [("get_weather", {"city": "北京"})]
    assert customer.calls[0].json["tools"] == [{"type": "function", "function": WEATHER}]


def test_a_wrong_key_is_the_sdks_error(customer: Customer, clients: dict[str, Any]):
    stranger = ChatOpenAI(base_url=customer.v1, api_key=SecretStr("sk-wrong"), model=MODEL, **clients)

    with pytest.raises(openai.AuthenticationError) as refused:
        stranger.invoke("hello")

    assert refused.value.code == "invalid_api_key"


def test_the_local_model_answers(chat_model: ChatModel):
    message = chat_model(model=LOCAL_CHAT, max_completion_tokens=8, temperature=0).invoke("Name a colour.")

    assert message.content
    assert message.usage_metadata is not None and 0 < message.usage_metadata["output_tokens"] <= 8


def test_embeddings_of_documents_and_of_a_query_agree(customer: Customer, clients: dict[str, Any]):
    embeddings = OpenAIEmbeddings(
        base_url=customer.v1,
        api_key=SecretStr(customer.key),
        model=LOCAL_EMBEDDING,
        check_embedding_ctx_length=False,  # the page's way: texts, not token ids
        **clients,
    )

    cat, tax = embeddings.embed_documents(["a cat", "a tax return"])

    assert (len(cat), len(tax)) == (256, 256)
    assert embeddings.embed_query("a cat") == pytest.approx(cat, abs=1e-6)
    assert cat != tax
