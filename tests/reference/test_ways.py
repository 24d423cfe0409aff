"""The same call in every format that is served, on the pages of operations and of models."""

import re

import pytest

from tests.reference.shelf import CATALOG, SERVED, SERVER, library
from tokengate.reference import table
from tokengate.reference.guides import Guides, docs_folder
from tokengate.reference.kinds import formats_beside, wire_format
from tokengate.reference.library import Library
from tokengate.reference.pages import Page
from tokengate.reference.table import ApiOperation

CHATS = (
    table.ANTHROPIC_MESSAGES,
    table.RESPONSES,
    table.GEMINI_GENERATE,
    table.DASHSCOPE_TEXT,
    table.DASHSCOPE_MULTIMODAL,
)


def books(*served: ApiOperation) -> Library:
    return library("qwen-plus", "qwen-vl-max", served=(*SERVED, *served))


def page_of(slug: str, books: Library) -> Page:
    page = books.page(slug, "en", SERVER)
    assert page is not None
    return page


def test_a_format_is_shown_once_its_operation_is_served() -> None:
    slug = "chat.completions/qwen-plus"

    alone = page_of(slug, books())
    two = page_of(slug, books(table.ANTHROPIC_MESSAGES))
    all_of_them = page_of(slug, books(*CHATS))

    assert alone.ways == ()
    assert [way.title for way in two.ways] == ["OpenAI", "Anthropic"]
    assert [way.format for way in all_of_them.ways] == ["openai", "responses", "anthropic", "gemini", "dashscope"]
    assert {way.slug.partition("/")[2] for way in all_of_them.ways} == {"qwen-plus"}


@pytest.mark.parametrize(
    ("model", "operation"), [("qwen-plus", "dashscope.text"), ("qwen-vl-max", "dashscope.multimodal")]
)
def test_a_model_is_called_by_the_operation_that_fits_it(model: str, operation: str) -> None:
    page = page_of(f"chat.completions/{model}", books(*CHATS))

    assert page.ways[-1].operation == operation


def test_the_page_of_an_operation_leads_to_those_of_the_others() -> None:
    page = page_of("api/anthropic.messages", books(*CHATS))

    assert [way.slug for way in page.ways] == [
        "api/chat.completions",
        "api/responses",
        "api/anthropic.messages",
        "api/gemini.generate",
        "api/dashscope.text",
    ]
    assert "The same call in other formats: [OpenAI](/docs/api/chat.completions)" in page.markdown


def test_what_is_of_no_format_has_no_others() -> None:
    assert page_of("api/balance", books(*CHATS)).ways == ()
    assert page_of("api/gemini.count", books(*CHATS)).ways == ()


def test_what_else_calls_a_model_is_named_by_its_title() -> None:
    page = page_of("chat.completions/qwen-plus", books(*CHATS))

    assert {link.title for link in page.others} == {"Count tokens", "streamGenerateContent", "countTokens"}


def test_a_model_s_card_has_a_sample_of_each_format_at_the_address_of_its_sdk() -> None:
    shelf = books(*CHATS)
    model = CATALOG.resolve("qwen-plus")
    assert model is not None

    card = shelf.card(model, "en", SERVER)

    assert [(one.way.format, one.base_url.removeprefix(SERVER)) for one in card.ways] == [
        ("openai", "/v1"),
        ("responses", "/v1"),
        ("anthropic", ""),
        ("gemini", ""),
        ("dashscope", "/api/v1"),
    ]
    for one in card.ways:
        assert "qwen-plus" in one.sample_request.path + (one.sample_request.body or "")


def test_every_format_s_guide_is_there() -> None:
    guides = Guides(docs_folder())
    formats = formats_beside(table.CHAT_COMPLETIONS, None)

    assert set(formats) == {"openai", "responses", "anthropic", "gemini", "dashscope"}
    for name in formats:
        assert guides.find(wire_format(name).guide, "zh") is not None, name


def test_an_operation_s_example_calls_a_model_that_it_can_call() -> None:
    shelf = library("qwen-plus", "text-embedding-3-small", served=(*SERVED, table.DASHSCOPE_TEXT_EMBEDDING))

    page = page_of("api/dashscope.text_embedding", shelf)

    assert '"text-embedding-3-small"' in (page.request_example or "")


def test_an_operation_s_example_calls_a_model_that_has_what_it_asks_for() -> None:
    """Not every model that looks at pictures takes the video of the example, and few vendors fold a conversation."""
    served = (*SERVED, table.DASHSCOPE_MULTIMODAL, table.COMPACT_RESPONSE)
    shelf = library("qwen-plus", "gpt-5.4", "qwen-vl-max", served=served)

    looks, folds = page_of("api/dashscope.multimodal", shelf), page_of("api/responses.compact", shelf)

    assert '"qwen-vl-max"' in (looks.request_example or "")
    assert '"gpt-5.4"' in (folds.request_example or "")


def test_an_operation_s_example_calls_a_model_that_is_offered_where_there_is_one() -> None:
    """Only OpenAI's models fold a conversation; whom no operation is said to call is one of the usual model's kind."""

    def called(operation: table.ApiOperation, *offered: str) -> str:
        page = page_of(f"api/{operation.id}", library(*offered, served=(*SERVED, operation)))
        (name,) = re.findall(r'"model": "([^"]+)"', page.request_example or "")
        return name

    assert called(table.COMPACT_RESPONSE, "qwen-plus", "gpt-5.2") == "gpt-5.2"
    assert called(table.COMPACT_RESPONSE, "qwen-plus") == "gpt-5.4"
    assert called(table.EMBEDDINGS, "qwen-plus") == "text-embedding-3-small"
    assert called(table.RESPONSE_TOKENS, "text-embedding-3-small", "deepseek-v4-pro") == "deepseek-v4-pro"
    assert called(table.RESPONSE_TOKENS) == "qwen-plus"


def test_a_model_that_folds_a_conversation_says_so() -> None:
    shelf = library("gpt-5.4", "qwen-plus", served=(*SERVED, table.COMPACT_RESPONSE))

    page = page_of("responses.compact/gpt-5.4", shelf)

    assert page.status == "released" and '"gpt-5.4"' in (page.request_example or "")
    assert shelf.page("responses.compact/qwen-plus", "en", SERVER) is None
