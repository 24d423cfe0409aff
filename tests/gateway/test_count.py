"""What a call used: the vendor's word, else a count that says whether it is one."""

import json
from threading import current_thread, main_thread
from typing import Any

import pytest
from msgspec import structs

from tests.gateway.parts import MODEL, call
from tokengate.catalog.price import ALWAYS, make_price
from tokengate.catalog.rates import Rates
from tokengate.catalog.tokens import Counted, estimate_tokens, tokenizer
from tokengate.core.chat import Chat, Message
from tokengate.core.parts import Text
from tokengate.core.usage import ReportedUsage, Usage, UsageSource
from tokengate.gateway.call import Call
from tokengate.gateway.count import Used, as_priced, count_prompt, count_tokens, used_by
from tokengate.gateway.openai import CHAT_COMPLETIONS, COMPLETIONS
from tokengate.gateway.written import Written

MESSAGES = [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": "你好"}]
BODY = json.dumps({"model": "m", "messages": MESSAGES}).encode()
COUNTED, ESTIMATED, VENDOR = UsageSource.COUNTED, UsageSource.ESTIMATED, UsageSource.VENDOR


def of(model: str, body: bytes = BODY) -> Call:
    one = call(body)
    one.model = structs.replace(one.model, id=model)
    return one


def written(model: str, *pieces: str) -> Written:
    texts = Written(structs.replace(MODEL, id=model))
    for piece in pieces:
        texts.add((0, "content"), piece)
    return texts


async def test_what_the_vendor_reports_counts() -> None:
    reported = ReportedUsage(Usage(input=3, output=4), b"{}")

    assert await used_by(of("qwen-plus"), BODY, reported, ["Hello"]) == Used(reported.usage, VENDOR, b"{}")


async def test_a_whole_reply_is_counted_by_the_models_own_tokenizer() -> None:
    used = await used_by(of("qwen2.5-14b-instruct"), BODY, None, ["你好!有什么我可以帮助你的吗?"])

    assert used == Used(Usage(input=20, output=8), COUNTED)


async def test_a_stream_is_counted_like_a_whole_reply() -> None:
    used = await used_by(
        of("qwen2.5-14b-instruct"), BODY, None, written("qwen-plus", "你好", "!有什么我", "可以帮助你的吗?")
    )

    assert used == Used(Usage(input=20, output=8), COUNTED)


async def test_a_stream_of_a_model_without_a_tokenizer_is_estimated() -> None:
    used = await used_by(of("m"), BODY, None, written("m", "Hello ", "there"))

    assert (used.usage.output, used.source) == (estimate_tokens("Hello there"), ESTIMATED)


async def test_a_partial_report_knows_the_prompt() -> None:
    partial = ReportedUsage(Usage(input=3, cache_read=2, output=1, reasoning=1), b"{}", partial=True)

    assert await used_by(of("gpt-5"), BODY, partial, written("gpt-5", "Hello")) == Used(
        Usage(input=3, cache_read=2, output=1), COUNTED, b"{}"
    )


async def test_a_model_without_a_tokenizer_is_estimated() -> None:
    used = await used_by(of("m"), BODY, None, ["Hello there"])

    texts = "system" + MESSAGES[0]["content"] + "user" + MESSAGES[1]["content"]
    assert used == Used(Usage(input=3 * 3 + estimate_tokens(texts), output=estimate_tokens("Hello there")), ESTIMATED)


@pytest.mark.parametrize("body", [{"messages": [{"role": "user", "content": [{"type": "new", "new": "word " * 50}]}]}])
async def test_a_body_that_only_the_vendor_could_read_is_estimated_from_its_texts(body: dict[str, Any]) -> None:
    found = await count_prompt(
        CHAT_COMPLETIONS, None, json.dumps({"model": "m", **body}).encode(), of("qwen-plus").model
    )

    assert found.source is ESTIMATED and 40 < found.tokens < 80


async def test_what_is_no_chat_is_estimated() -> None:
    body = json.dumps({"model": "m", "prompt": "word " * 50}).encode()

    found = await count_prompt(COMPLETIONS, None, body, of("qwen-plus").model)

    assert found == Counted(estimate_tokens("word " * 50), ESTIMATED)


async def test_tokenizers_work_beside_the_event_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[bool] = []
    encode = tokenizer.Tokenizer.encode

    def noted(self: tokenizer.Tokenizer, text: str) -> list[int]:
        threads.append(current_thread() is main_thread())
        return encode(self, text)

    monkeypatch.setattr(tokenizer.Tokenizer, "encode", noted)
    chat = Chat(format="x", model="m", messages=(Message("user", (Text("你好"),)),))

    assert await count_tokens(chat, of("qwen3-30b-a3b-instruct-2507").model) == Counted(9, COUNTED)
    await used_by(of("qwen-plus"), BODY, None, ["Hello"])
    await count_prompt(CHAT_COMPLETIONS, chat, BODY, of("gpt-5").model)

    assert threads and not any(threads)


BY_PIECE = Rates(image=10**14)
BY_TOKEN = Rates(input=10**9, output=10**9, image_out=10**9)
BOTH = Rates(input=10**9, output=10**9, image=10**14)
TOLD = Usage(input=10, output=2, image_out=258, search=1, image=2)


@pytest.mark.parametrize(
    ("rates", "billed"),
    [
        (BY_PIECE, Usage(image=2, search=1)),
        (BY_TOKEN, Usage(input=10, output=2, image_out=258, search=1)),
        (BOTH, TOLD),
    ],
)
def test_the_pictures_of_a_chat_are_billed_by_what_has_a_price(rates: Rates, billed: Usage) -> None:
    priced = as_priced(Used(TOLD, VENDOR, b"{}", "1x1"), make_price([(ALWAYS, rates)]), of("m").asked)

    assert priced == Used(billed, VENDOR, b"{}", "1x1")


def test_pictures_alone_were_counted_where_tokens_would_be_estimated() -> None:
    used = Used(Usage(input=10, output=2, image=2), ESTIMATED)

    assert as_priced(used, make_price([(ALWAYS, BY_PIECE)]), of("m").asked) == Used(Usage(image=2), COUNTED)
    assert as_priced(used, make_price([(ALWAYS, BOTH)]), of("m").asked) == used


def test_a_chat_whose_vendor_reports_no_tokens_is_not_billed_for_its_cap() -> None:
    asked = structs.replace(of("m").asked, output_cap=1_000)

    priced = as_priced(Used(Usage(image=2), VENDOR), make_price([(ALWAYS, BY_TOKEN)]), asked)

    assert priced.usage == Usage()
