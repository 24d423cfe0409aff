"""Every page is there in both languages, and every link of every page leads somewhere."""

import re
from collections.abc import Iterator

import msgspec
import pytest

from tests.reference.shelf import CATALOG, SERVER, library
from tokengate.reference.library import Library
from tokengate.reference.pages import Page
from tokengate.reference.tree import Node
from tokengate.reference.words import Lang

LANGUAGES: tuple[Lang, Lang] = ("zh", "en")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def page_of(slug: str, lang: Lang = "zh", books: Library | None = None) -> Page:
    page = (books or library()).page(slug, lang, SERVER)
    assert page is not None, slug
    return page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_link_of_every_page_leads_to_a_page(lang: Lang):
    books = library()
    slugs = set(books.slugs(lang))
    for slug in slugs:
        page = page_of(slug, lang, books)

        for link in (*page.breadcrumb, *page.others, *filter(None, (page.previous, page.next))):
            assert link.slug is None or link.slug in slugs, f"{slug} -> {link.slug}"
        for target in addresses(page.markdown):
            assert leads_somewhere(target, slugs, books, lang), f"{slug} -> {target}"
    for link in (*books.navigation(lang).help, *books.navigation(lang).reference):
        assert link.slug in slugs
    for node in nodes_of(books.navigation(lang).tree):
        assert node.slug is None or node.slug in slugs
        assert node.href in (None, "/")


def addresses(markdown: str) -> Iterator[str]:
    text = re.sub(r"```.*?```", "", markdown, flags=re.DOTALL)
    yield from (found[1] for found in _LINK.finditer(text))


def nodes_of(nodes: tuple[Node, ...]) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from nodes_of(node.children)


def leads_somewhere(target: str, slugs: set[str], books: Library, lang: Lang) -> bool:
    path, _, anchor = target.partition("#")
    if path.startswith(("https://", "http://")):
        return True
    if path.startswith("/models/"):
        return CATALOG.resolve(path.removeprefix("/models/")) is not None
    slug = path.removeprefix("/docs/")
    if slug not in slugs:
        return books.picture(slug) is not None
    return not anchor or anchor in {heading.id for heading in page_of(slug, lang, books).headings}


def test_every_model_has_a_page_by_its_id_and_its_aliases():
    books = library()
    for model in CATALOG.models():
        card = books.card(model, "zh", SERVER)
        assert card.endpoints, model.id
        for endpoint in card.endpoints:
            assert page_of(endpoint.slug, "zh", books).model == model.id
    aliased = page_of("chat.completions/qwen/qwen3-vl-8b-instruct", "zh", books)
    assert aliased.slug == "chat.completions/Qwen3-VL-8B-Instruct"


def test_the_page_of_the_product_page_is_as_it_is_there():
    page = page_of("chat.completions/Qwen3-VL-8B-Instruct")

    assert [link.title for link in page.breadcrumb][-1] == "qianwen"
    assert (page.method, page.path) == ("POST", "/v1/chat/completions")
    assert page.previous is not None and page.previous.title == "qwen3.6-plus"
    assert page.next is not None and page.next.title == "qwen-image-edit(图片编辑)"
    assert page.modified_ms == 1779673929000  # 2026-05-25 09:52:09 in Beijing
    assert page.base_urls[0] == f"{SERVER}/v1"


@pytest.mark.parametrize(
    ("slug", "fixture"),
    [
        ("chat.completions/Qwen3-VL-8B-Instruct", "000-request-1.json"),
        ("chat.completions/qwen3.6-max-preview", "003-request-1.json"),
    ],
)
def test_request_examples_are_those_of_the_product_pages(slug: str, fixture: str, seeds: dict[str, bytes]):
    page = page_of(slug)

    assert page.request_example is not None
    assert msgspec.json.decode(page.request_example) == msgspec.json.decode(seeds[fixture])


@pytest.mark.parametrize(
    ("slug", "fixture"),
    [
        ("chat.completions/Qwen3-VL-8B-Instruct", "000-reply-1.json"),
        ("chat.completions/qwen3.6-max-preview", "003-reply-1.json"),
    ],
)
def test_reply_examples_are_those_of_the_product_pages(slug: str, fixture: str, seeds: dict[str, bytes]):
    assert msgspec.json.decode(page_of(slug).responses[0].example) == msgspec.json.decode(seeds[fixture])


def test_every_json_example_is_json_and_every_sample_names_its_model():
    books = library()
    for slug in books.slugs("zh"):
        page = page_of(slug, "zh", books)
        for example in page.request_examples:
            body = msgspec.json.decode(example.body, type=dict[str, object])
            assert body.get("model", page.model) == page.model or page.model is None, slug
        for answer in page.responses:
            if answer.content_type == "application/json":
                msgspec.json.decode(answer.example)
        if page.sample_request is not None:
            assert "{" not in page.sample_request.path, slug


def test_pages_of_the_help_menu_follow_each_other():
    books = library()
    menu = books.navigation("zh")
    listed = [link.slug for link in (*menu.help, *menu.reference)]

    slug, walked = "help/prices", ["help/prices"]
    while (before := page_of(slug, "zh", books).previous) is not None and before.slug not in (None, *walked):
        assert before.slug is not None
        slug = before.slug
        walked.append(slug)
        if slug == "guide/reference":
            break

    assert walked == listed[listed.index("guide/reference") :][::-1]


def test_an_unknown_page_is_none():
    books = library()
    for slug in ("", "api", "api/", "api/unknown", "unknown", "chat.completions/unknown", "embeddings/gpt-5", "../x"):
        assert (books.page(slug, "zh", SERVER) is None) == (slug != "api"), slug


def test_the_map_for_language_models_names_every_guide_and_model():
    text = library().llms("en", SERVER)

    assert text.startswith("# TokenGate\n")
    assert f"{SERVER}/docs/guide/billing.md?lang=en" in text
    assert all(f"/{model.id}.md" in text for model in CATALOG.models())


def test_pages_outside_the_tree_follow_each_other_in_the_order_of_the_api_list():
    shelf = library("qwen-plus")

    first = shelf.page("api/chat.completions", "en", SERVER)

    assert first is not None and first.previous is None and first.next is not None
    seen = ["api/chat.completions"]
    at = first
    while at.next is not None:
        assert at.next.slug is not None
        following = shelf.page(at.next.slug, "en", SERVER)
        assert following is not None and following.previous is not None
        assert following.previous.slug == seen[-1]
        seen.append(at.next.slug)
        at = following
    assert {"api/quote", "api/balance", "api/anthropic.messages", "chat.completions/smollm2-135m-instruct"} <= set(seen)
    assert len(seen) == len(set(seen))


def test_the_examples_of_an_operation_call_a_model_that_can_be_called_here():
    for offered, called in (("wordllama-256", "wordllama-256"), ("gpt-5", "text-embedding-3-small")):
        page = library(offered).page("api/embeddings", "en", SERVER)
        assert page is not None and page.sample_request is not None and page.sample_request.body is not None
        assert f'"{called}"' in page.sample_request.body


def test_the_model_is_in_the_path_where_the_operation_has_it_there():
    draws = page_of("gemini.generate/gemini-2.5-flash-image", "en")
    own = page_of("api/gemini.stream", "en")

    assert draws.path == "/v1beta/models/gemini-2.5-flash-image:generateContent"
    assert draws.sample_request and draws.sample_request.path == draws.path
    assert [one.title for one in draws.request_examples] == ["Create an image", "Text"]
    assert own.path == "/v1beta/models/{model}:streamGenerateContent"
    assert own.sample_request and own.sample_request.path == "/v1beta/models/qwen-plus:streamGenerateContent?alt=sse"
    assert [one.title for one in page_of("api/gemini.generate", "en").request_examples] == ["Text"]
