import re
import time
from datetime import date
from pathlib import Path

import pytest

from tokengate.catalog.load import load_models, read_files
from tokengate.catalog.price import CallTraits, bill
from tokengate.core.money import read_yuan
from tokengate.core.settings import Settings
from tokengate.core.usage import Usage

CATALOG = load_models(Settings())
PRICE_LIST = Path(__file__).parents[1] / "fixtures" / "qwen_price_list.txt"

# Every model that the product pages name, by the kind in which they list it.
PAGES = {
    "chat": """
        gpt-5 gpt-5-pro gpt-5-chat-latest gpt-5-nano gpt-5-mini gpt-5.2 gpt-5.2-search gpt-5.3-codex gpt-5.4 gpt-5.4-pro
        claude-opus-4-7 claude-opus-4-6 claude-sonnet-4-6 claude-sonnet-4.5 claude-opus-4.5 claude-haiku-4.5
        grok-4-1-fast-non-reasoning grok-4-1-fast-reasoning grok-code-fast-1
        gemini-3-flash-preview gemini-3.1-pro-preview
        deepseek-v4-flash deepseek-v4-pro glm-5.1 glm-4.7
        qwen3.6-max-preview qwen3.5-plus qwen3.5-flash qwen3.6-flash qwen3.6-plus
        Qwen3-VL-8B-Instruct deepseek3.2 minimax2.7 minimax2.5 小微同学
        glm-4.6 glm-4.5 deepseek-v3.2-exp deepseek-v3.1-terminus tongyi-deepresearch-30b-a3b ernie-4.5-21b-a3b-thinking
        qwen3-vl-30b-a3b-instruct qwen3-vl-30b-a3b-thinking qwen3-vl-235b-a22b-instruct qwen3-vl-235b-a22b-thinking
        qwen3-next-80b-a3b-instruct qwen3-next-80b-a3b-thinking
        qvq-max qvq-max-latest qvq-max-2025-03-25 qvq-72b-preview
        qwen-vl-max qwen-vl-max-latest qwen-vl-max-2025-04-08 qwen-vl-max-2025-04-02 qwen-vl-max-2025-01-25
        qwen-vl-max-2024-12-30 qwen-vl-max-2024-11-19 qwen-vl-max-2024-10-30 qwen-vl-max-2024-08-09
        qwen-vl-plus qwen-vl-plus-latest qwen-vl-plus-2025-01-25 qwen-vl-plus-2025-01-02 qwen-vl-plus-2024-08-09
        qwen-vl-plus-2023-12-01 qwen2.5-vl-72b-instruct qwen2.5-vl-32b-instruct qwen2.5-vl-7b-instruct
        qwen2.5-vl-3b-instruct qwen2-vl-72b-instruct qwen2-vl-7b-instruct qwen2-vl-2b-instruct
        qwen-vl-v1 qwen-vl-chat-v1 smollm2-135m-instruct
    """,
    "embedding": "text-embedding-ada-002 text-embedding-3-small text-embedding-3-large wordllama-256 text-embedding-v4",
    "image": """
        gpt-image-2 gemini-2.5-flash-image gemini-3-pro-image-preview gemini-3.1-flash-image-preview
        qwen-image qwen-image-edit
    """,
    "speech": "tts-1-hd Qwen3-TTS-12Hz-1.7B-CustomVoice piper-joe",
    "transcription": "whisper-1 whisper-tiny.en",
    "video": "wan-t2v wan-i2v",
    "music": "sunoV2 chirp-crow chirp-bluejay chirp-auk chirp-v4 chirp-v3-5",
    "rerank": "qwen3-rerank gte-rerank-v2",
    "moderation": "omni-moderation-latest",
}
UNPRICED = {
    "xiaowei",
    "qwen2-vl-7b-instruct",
    "qwen2-vl-2b-instruct",
    "qwen-vl-v1",
    "qwen-vl-chat-v1",
    "qwen3-tts-instruct-flash",
}
CAPABILITIES = {
    "文本生成",
    "图片识别",
    "深度思考",
    "深度研究",
    "联网搜索",
    "翻译",
    "向量",
    "重排序",
    "内容审核",
    "文生图",
    "图片编辑",
    "语音转文字",
    "语音翻译",
    "文字生语音",
    "文生视频",
    "图生视频",
    "音乐生成",
}


@pytest.mark.parametrize("kind", PAGES)
def test_every_model_of_the_product_pages_is_listed(kind: str):
    for name in PAGES[kind].split():
        model = CATALOG.resolve(name)

        assert model is not None, name
        assert model.kind == kind, name


def test_every_row_is_complete():
    for model in CATALOG.models():
        assert model.name and model.vendor and model.series, model.id
        assert model.capabilities and set(model.capabilities) <= CAPABILITIES, model.id
        assert date.fromisoformat(model.updated), model.id
        assert model.created_s > 1_600_000_000, model.id


def test_every_price_names_its_source_and_date():
    for model in CATALOG.models():
        if CATALOG.price_of(model.id):
            assert model.price_source, model.id
            assert date.fromisoformat(model.price_checked), model.id


def test_only_models_without_a_published_price_are_unpriced():
    assert {model.id for model in CATALOG.models() if CATALOG.price_of(model.id) is None} == UNPRICED


def test_no_rate_of_the_catalogue_is_rounded():
    for model in CATALOG.models():
        reading = CATALOG.reading_of(model.id)
        assert reading is None or reading.rounded == (), model.id


def test_the_price_list_of_the_qwen_page_is_exact_in_both_directions():
    lines = PRICE_LIST.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 42

    for line in lines:
        model_id, name, yuan_per_ktok, updated = line.split()[:4]
        model, price = CATALOG.resolve(model_id), CATALOG.price_of(model_id)
        assert model and price, model_id
        assert (model.id, model.name, model.updated) == (model_id, name, updated)
        nano = read_yuan(yuan_per_ktok)
        assert bill(Usage(input=1000), price).total_nano == nano, model_id
        assert bill(Usage(output=1000), price).total_nano == nano, model_id


def test_the_card_of_qwen3_vl_8b_is_exact():
    model, price = CATALOG.resolve("qwen/qwen3-vl-8b-instruct"), CATALOG.price_of("Qwen3-VL-8B-Instruct")

    assert model and price
    assert (model.context, model.series, model.capabilities) == (256 * 1024, "Qwen", ("图片识别",))
    assert bill(Usage(input=1000), price).total_nano == read_yuan("0.0025")
    assert bill(Usage(output=1000), price).total_nano == read_yuan("0.00875")


def test_music_is_paid_by_what_is_asked_for_whatever_the_version():
    for name in PAGES["music"].split():
        price = CATALOG.price_of(name)
        assert price
        paid = {
            task: price.cost_nano(Usage(request=1), CallTraits(task=task))
            for task in ("create", "lyrics", "wav", "midi")
        }
        assert paid == {"create": 500_000_000, "lyrics": 20_000_000, "wav": 50_000_000, "midi": 2_500_000_000}


def test_a_price_in_dollars_is_converted_by_the_configured_rate():
    price = CATALOG.price_of("gpt-5")

    assert price
    assert price.currency_rate == "7.10"
    assert price.rates(1).input == 1_250_000_000 * 71 // 10
    assert price.rates(1).cache_read == 125_000_000 * 71 // 10


def test_page_groups_and_states_are_kept():
    def of(name: str) -> tuple[str, str]:
        model = CATALOG.resolve(name)
        assert model
        return model.region, model.status

    assert of("gpt-5") == ("国外", "available")
    assert of("qwen3.6-max-preview") == ("国内", "开发中")
    assert of("deepseek3.2") == ("内部", "available")
    assert of("sunoV2") == ("国外", "available")


def test_the_local_models_are_described():
    chat, embedding = CATALOG.resolve("smollm2-135m-instruct"), CATALOG.resolve("wordllama-256")

    assert chat and embedding
    assert (chat.context, chat.max_output) == (8192, 4096)
    assert embedding.dimensions == (256, 128, 64)


def test_each_model_is_one_line():
    for name, file in read_files().items():
        text = (Path(__file__).parents[2] / "src/tokengate/catalog/data" / name).read_text(encoding="utf-8")
        assert len(re.findall(r"^  \{ id = .* \},$", text, re.MULTILINE)) == len(file.models), name


def test_loading_takes_less_than_150_ms_of_processor_time():
    def load_ms() -> int:
        start_ns = time.process_time_ns()
        load_models(Settings())
        return (time.process_time_ns() - start_ns) // 1_000_000

    assert min(load_ms() for _ in range(3)) < 150
