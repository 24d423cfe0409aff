import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.catalog.tokens import TokenEstimate, estimate_tokens, prompt_bound

ENGLISH = (
    "A wallet belongs to an organisation; a key names the wallet it spends from, its own or a shared one. "
    "The client left before the head of the reply arrived, so nothing was charged."
)
CHINESE = "模型支持图像与视频输入,适用于文档解析、视觉问答、空间推理与图形界面控制等任务。每次调用后返回账户余额。"
CODE = (
    "def settle(hold, cost_nano):\n    if cost_nano > hold.nano:\n        raise Overrun(cost_nano)\n    return hold\n"
)
RUSSIAN = (
    "Кошелёк принадлежит организации, а ключ называет кошелёк, из которого он тратит: свой или общий. "
    "Клиент ушёл раньше, чем пришёл заголовок ответа, поэтому ничего не списано."
)
KOREAN = (
    "지갑은 조직에 속하고, 키는 어느 지갑에서 지출할지를 정합니다. "
    "응답이 오기 전에 클라이언트가 떠나면 요금은 부과되지 않습니다."
)


@pytest.mark.parametrize(
    ("text", "counts"),
    [  # tokens by o200k_base, Qwen, DeepSeek
        (ENGLISH, (39, 39, 39)),
        (CHINESE, (38, 31, 30)),
        (CODE, (30, 30, 32)),
        (RUSSIAN, (49, 59, 56)),
        (KOREAN, (43, 49, 49)),
    ],
)
def test_the_estimate_is_near_real_tokenizers(text: str, counts: tuple[int, int, int]):
    mean = sum(counts) / len(counts)

    assert 0.75 * mean <= estimate_tokens(text) <= 1.25 * mean
    assert prompt_bound(len(json.dumps(text))) >= max(counts)


@given(st.text(), st.data())
def test_a_text_in_pieces_is_estimated_as_the_whole(text: str, data: st.DataObject):
    estimate = TokenEstimate()
    rest = text

    while rest:
        cut = data.draw(st.integers(1, len(rest)))
        estimate.add(rest[:cut])
        rest = rest[cut:]

    assert estimate.tokens == estimate_tokens(text)


@given(st.text(st.characters(exclude_categories=())), st.booleans())
def test_a_text_in_json_is_never_shorter_than_the_bytes_that_its_tokens_cover(text: str, ascii_only: bool):
    text_bytes = text.encode("utf-8", "surrogatepass")

    body = json.dumps(text, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass")

    assert prompt_bound(len(body)) >= len(body) >= len(text_bytes)


@given(st.text())
def test_the_estimate_of_a_text_never_exceeds_the_bound_of_a_body_with_it(text: str):
    body = json.dumps({"messages": [{"role": "user", "content": text}]}, ensure_ascii=False).encode()

    assert estimate_tokens(text) <= prompt_bound(len(body))


def test_nothing_is_no_token():
    assert estimate_tokens("") == 0
    assert TokenEstimate().tokens == 0


def test_the_bound_grows_with_messages_tools_and_images():
    plain = prompt_bound(1000)

    assert prompt_bound(1000, messages=10) > plain
    assert prompt_bound(1000, tools=1) >= 2 * 1000
    assert prompt_bound(1000, media_size_bytes=400) == plain - 400


@pytest.mark.parametrize("shown", [(20, "你好", "You are a helpful assistant."), (11, "你好", "")])
def test_the_prompts_of_the_product_pages_are_within_their_bound(shown: tuple[int, str, str]):
    tokens, user, system = shown
    messages = [{"role": "system", "content": system}] * bool(system) + [{"role": "user", "content": user}]
    body = json.dumps({"model": "m", "messages": messages}, ensure_ascii=False).encode()

    assert prompt_bound(len(body), messages=len(messages)) >= tokens
