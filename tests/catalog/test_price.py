import json

import msgspec
import pytest

from tokengate.catalog.load import load_models
from tokengate.catalog.price import CallTraits, Price, bill, read_price, write_femto, write_price, write_rate
from tokengate.catalog.written import read_written
from tokengate.core.settings import CurrencySettings, Kind, PriceSettings, Settings
from tokengate.core.usage import Usage, UsageSource

CATALOG = load_models(Settings())


def priced(model_id: str) -> Price:
    price = CATALOG.price_of(model_id)
    assert price
    return price


def read(written: PriceSettings, kind: Kind = "chat") -> Price:
    price = read_written(written, kind, CurrencySettings()).price
    assert price
    return price


def test_the_sample_reply_of_the_qwen3_vl_card_costs_its_exact_price():
    priced_bill = bill(Usage(input=13, output=257), priced("Qwen3-VL-8B-Instruct"))

    assert priced_bill.total_nano == 2_281_250
    assert json.loads(priced_bill.to_json(UsageSource.VENDOR))["total"] == "0.00228125"


def test_the_first_sample_reply_of_the_qwen_page_costs_its_exact_price():
    assert bill(Usage(input=20, output=8), priced("qwen2.5-14b-instruct")).total_nano == 112_000  # 0.000112 yuan


def test_a_stored_bill_says_version_source_and_arithmetic():
    priced_bill = bill(Usage(input=13, output=257), priced("Qwen3-VL-8B-Instruct"))

    stored = json.loads(priced_bill.to_json(UsageSource.COUNTED, b'{"prompt_tokens": 13}'))

    assert stored == {
        "price_version": 0,
        "usage_source": "counted",
        "lines": [
            {"word": "input", "units": 13, "price": "2.5", "per": 1_000_000, "amount": "0.0000325"},
            {"word": "output", "units": 257, "price": "8.75", "per": 1_000_000, "amount": "0.00224875"},
        ],
        "total": "0.00228125",
        "total_nano": 2_281_250,
        "vendor_usage": {"prompt_tokens": 13},
    }


def test_the_whole_input_picks_the_tier_and_its_upper_end_is_inside():
    price = priced("gpt-5.4")
    cheap, dear = price.tiers[0].rates, price.tiers[1].rates

    assert price.rates(272_000) == cheap
    assert price.rates(272_001) == dear

    at_the_end = Usage(input=2_000, cache_read=270_000, output=10)
    beyond = Usage(input=2_001, cache_read=270_000, output=10)
    assert (cheap.input, cheap.cache_read, cheap.output) == (17_750_000_000, 1_775_000_000, 106_500_000_000)
    assert price.cost_nano(at_the_end) == (2_000 * 17_750 + 270_000 * 1_775 + 10 * 106_500)
    assert price.cost_nano(beyond) == (2_001 * 35_500 + 270_000 * 3_550 + 10 * 159_750)


def test_the_tier_is_written_into_the_bill():
    stored = json.loads(bill(Usage(input=1), priced("gpt-5.4")).to_json(UsageSource.VENDOR))

    assert stored["when"] == {"up_to": 272_000}


def test_thinking_is_told_or_seen_in_the_usage():
    price = read(PriceSettings(input="1", output="2", when=[{"thinking": True, "output": "8"}]))

    assert price.cost_nano(Usage(output=1000)) == 2_000_000_000
    assert price.cost_nano(Usage(output=900, reasoning=100)) == 8_000_000_000
    assert price.cost_nano(Usage(output=1000), CallTraits(thinking=True)) == 8_000_000_000
    assert price.cost_nano(Usage(output=900, reasoning=100), CallTraits(thinking=False)) == 2_000_000_000


@pytest.mark.parametrize(
    ("clock", "off_peak"),
    [("00:59", True), ("01:00", False), ("03:59", False), ("04:00", True), ("06:00", False), ("10:00", True)],
)
def test_hours_are_a_window_of_the_utc_day_without_its_end(clock: str, off_peak: bool):
    minute = int(clock[:2]) * 60 + int(clock[3:])

    rates = priced("deepseek-v4-pro").rates(100, CallTraits(minute=minute))

    assert rates.input == (4_686_000_000 if off_peak else 9_372_000_000)


def test_a_condition_on_something_unknown_does_not_hold():
    price = priced("deepseek-v4-pro")

    assert price.rates(100) == price.tiers[-1].rates


def test_attributes_pick_their_tier():
    price = read(PriceSettings(image="1", when=[{"size": "1024x1024", "quality": "high", "image": "3"}]), "image")

    assert price.cost_nano(Usage(image=2), CallTraits(size="1024x1024", quality="high")) == 6_000_000_000
    assert price.cost_nano(Usage(image=2), CallTraits(size="1024x1024", quality="low")) == 2_000_000_000


def test_what_is_asked_for_picks_its_tier_and_a_stored_bill_says_which():
    price = read(PriceSettings(request="1", when=[{"task": "lyrics", "request": "0.02"}]), "music")
    paid = bill(Usage(request=1), price, CallTraits(task="lyrics"))

    assert (paid.total_nano, json.loads(paid.to_json(UsageSource.VENDOR))["when"]) == (20_000_000, {"task": "lyrics"})
    assert price.cost_nano(Usage(request=1), CallTraits(task="create")) == 1_000_000_000
    assert read_price(write_price(price), version=1).tiers == price.tiers


def test_words_left_out_cost_what_their_parent_costs():
    reading = read_written(PriceSettings(input="0.001", output="0.002"), "chat", CurrencySettings())

    assert reading.price
    rates = reading.price.rates(1)
    assert (rates.cache_read, rates.image_in, rates.video_in, rates.audio_in) == (1_000_000_000,) * 4
    assert (rates.cache_write_5m, rates.cache_write_1h) == (1_250_000_000, 2_000_000_000)
    assert (rates.reasoning, rates.image_out, rates.audio_out) == (2_000_000_000,) * 3
    assert (rates.image, rates.search, rates.character) == (None, None, None)
    assert reading.fallbacks == (
        ("cache_read", "input"),
        ("image_in", "input"),
        ("video_in", "input"),
        ("audio_in", "input"),
        ("cache_write_5m", "1.25 x input"),
        ("cache_write_1h", "2 x input"),
        ("reasoning", "output"),
        ("image_out", "output"),
        ("audio_out", "output"),
    )


def test_a_tier_s_fallbacks_follow_the_tier():
    price = read(PriceSettings(input="2", output="2", when=[{"up_to": 100, "input": "1"}]))

    assert price.rates(100).cache_read == 1_000_000_000_000
    assert price.rates(101).cache_read == 2_000_000_000_000


def test_a_rate_finer_than_the_grain_is_rounded_up_and_named():
    written = PriceSettings(per="mtok", currency="usd", input="0.000000001", output="1")

    reading = read_written(written, "chat", CurrencySettings(usd="7.10"))

    assert reading.price
    assert reading.price.rates(1).input == 8
    assert "input" in reading.rounded
    assert "output" not in reading.rounded


def test_a_unit_without_price_is_free_with_an_alarm():
    priced_bill = bill(Usage(input=10, image=3), priced("qwen-plus"))

    assert priced_bill.alarms == ("image",)
    assert priced_bill.total_nano == 25_000
    assert json.loads(priced_bill.to_json(UsageSource.VENDOR))["unpriced"] == ["image"]


def test_a_call_is_one_request_without_any_alarm():
    assert bill(Usage(input=10, request=1), priced("qwen-plus")).alarms == ()


def test_pieces_are_priced_each():
    speech, transcription = priced("tts-1-hd"), priced("whisper-1")

    assert speech.cost_nano(Usage(character=1_000_000)) == 213_000_000_000  # 30 dollars at 7.10
    assert transcription.cost_nano(Usage(second=60)) == 42_600_000  # 0.006 dollars
    (line,) = bill(Usage(second=60), transcription).lines
    assert (line.price, line.per, line.amount) == ("0.00071", 1, "0.0426")


def test_a_hold_counts_only_the_tiers_that_the_input_can_reach():
    price = priced("gpt-5.4")

    assert price.max_cost_nano(272_000, 1_000) == 272_000 * 17_750 + 1_000 * 106_500
    assert price.max_cost_nano(272_001, 1_000) == 272_001 * 35_500 + 1_000 * 159_750


def test_a_hold_counts_a_dearer_tier_of_shorter_inputs():
    price = read(PriceSettings(per="mtok", input="1", output="1", when=[{"up_to": 100, "output": "9"}]))

    assert price.max_cost_nano(101, 1_000) == 101 * 2_000 + 1_000 * 9_000


def test_a_hold_is_for_the_dearest_word_that_the_input_can_become():
    assert priced("claude-opus-4-7").max_cost_nano(1_000, 0) == 1_000 * 71_000  # an hour's cache write: 10 dollars


def test_an_amount_below_zero_is_a_defect():
    with pytest.raises(AssertionError):
        bill(Usage(input=-1), priced("qwen-plus"))


def test_amounts_are_written_exactly():
    assert write_femto(0) == "0"
    assert write_femto(1) == "0.000000000000001"
    assert write_femto(12_500_000_000_000_000) == "12.5"
    assert write_rate("input", 2_500_000_000) == "2.5 per million tokens"
    assert write_rate("second", 710_000_000_000) == "0.00071 per second"


def test_a_stored_bill_has_the_lines_of_the_bill():
    priced_bill = bill(Usage(input=1, cache_read=2, output=3, search=4, image=5), priced("gpt-5.4"))

    stored = json.loads(priced_bill.to_json(UsageSource.ESTIMATED))

    assert stored["lines"] == json.loads(msgspec.json.encode(priced_bill.lines))
