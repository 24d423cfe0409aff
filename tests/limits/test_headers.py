import pytest

from tokengate.limits.headers import TOKENS, rate_headers, write_duration


@pytest.mark.parametrize(
    ("duration_us", "text"),
    [
        (0, "0s"),
        (1, "1ms"),
        (120_000, "120ms"),
        (999_999, "1s"),
        (1_000_000, "1s"),
        (8_640_000, "8.64s"),
        (59_999_500, "1m0s"),
        (360_000_000, "6m0s"),
        (61_500_000, "1m1.5s"),
        (3_600_000_000, "1h0m0s"),
        (86_399_001_000, "23h59m59.001s"),
    ],
)
def test_a_duration_reads_as_openai_writes_it(duration_us: int, text: str):
    assert write_duration(duration_us) == text


def test_the_headers_carry_openais_names():
    assert rate_headers(TOKENS, 150_000, 149_984, 6_000) == (
        ("x-ratelimit-limit-tokens", "150000"),
        ("x-ratelimit-remaining-tokens", "149984"),
        ("x-ratelimit-reset-tokens", "6ms"),
    )
