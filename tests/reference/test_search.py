import pytest

from tests.reference.shelf import library
from tokengate.reference.search import Document, SearchIndex

PAGES = (
    Document("balance", "余额", "参考", "钱包的余额不足时返回 402。"),
    Document("models", "模型", "参考", "qwen3-vl-8b-instruct 是多模态模型。"),
    Document("temperature", "Temperature", "reference", "The sampling temperature, from 0 to 2."),
    Document("long", "Long", "guide", "Much is said here. " * 50 + "temperature once."),
)


def slugs(query: str, limit: int = 10) -> list[str]:
    return [found.slug for found in SearchIndex(PAGES).find(query, limit)]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("余额", ["balance"]),
        ("余额不足", ["balance"]),
        ("额不", ["balance"]),
        ("多模态模型", ["models"]),
        ("Qwen3-VL", ["models"]),
        ("qwen3", ["models"]),
        ("instruct", ["models"]),
        ("temp", ["temperature", "long"]),
        ("TEMPERATURE sampling", ["temperature"]),
        ("402", ["balance"]),
        ("余", ["balance"]),
        ("nowhere", []),
        ("", []),
        ("!?", []),
    ],
)
def test_pages_are_found_by_words_parts_and_characters(query: str, found: list[str]):
    assert slugs(query) == found


def test_the_page_that_is_called_so_comes_first():
    spoken_of = Document("guide", "Guide", "guide", "Qwen-Plus and " * 50)
    own = Document("own", "qwen-plus", "model", "One of many models, of which much is said. " * 50)

    found = SearchIndex((spoken_of, own)).find(" Qwen-Plus ", 10)

    assert [one.slug for one in found] == ["own", "guide"]


def test_every_word_must_be_there():
    assert slugs("余额 temperature") == []


def test_a_snippet_marks_the_hits_and_is_short():
    found = SearchIndex(PAGES).find("temperature", 10)[1]

    assert [piece.text for piece in found.snippet if piece.hit] == ["temperature"]
    assert sum(len(piece.text) for piece in found.snippet) < 200


@pytest.mark.parametrize("query", ["x" * 10_000, "\x00", "(" * 50, "a" * 200 + " " + "余" * 200])
def test_any_text_may_be_looked_for(query: str):
    SearchIndex(PAGES).find(query, 5)


@pytest.mark.parametrize(
    ("query", "slug"),
    [
        ("状态码", "help/status-codes"),
        ("Qwen3-VL-8B", "chat.completions/Qwen3-VL-8B-Instruct"),
        ("幂等", "help/status-codes"),
        ("翻唱", "api/suno.cover"),
        ("计费", "guide/billing"),
    ],
)
def test_the_reference_is_found_in_chinese(query: str, slug: str):
    assert slug in [found.slug for found in library().search(query, "zh", 5)]


def test_and_in_english():
    assert "guide/billing" in [found.slug for found in library().search("billing", "en", 3)]
    assert "api/chat.completions" in [found.slug for found in library().search("chat completion", "en", 5)]
