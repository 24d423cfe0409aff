import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokengate.core.money import MAX_NANO, read_yuan, write_balance, write_decimal, write_yuan


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "0"),
        (1, "0.000000001"),
        (2_281_250, "0.00228125"),
        (1_000_000_000, "1"),
        (12_340_000_000, "12.34"),
        (-12_340_000_000, "-12.34"),
        (-1, "-0.000000001"),
    ],
)
def test_an_amount_is_written_as_the_shortest_exact_decimal(nano: int, text: str):
    assert write_yuan(nano) == text


@given(st.integers(-MAX_NANO, MAX_NANO))
def test_an_amount_that_was_written_is_read_as_it_was(nano: int):
    assert read_yuan(write_yuan(nano)) == nano


def test_a_finer_grain_has_more_digits():
    assert write_decimal(68_750_000_001, 15) == "0.000068750000001"
    assert write_decimal(10**15, 15) == "1"


@pytest.mark.parametrize(
    ("nano", "text"),
    [
        (0, "0.0000"),
        (99_999, "0.0000"),
        (1_234_567_890_123, "1234.5678"),
        (-1, "-0.0001"),
        (-1_000_000_000, "-1.0000"),
        (-1_000_000_001, "-1.0001"),
    ],
)
def test_a_balance_is_rounded_down_to_four_decimals(nano: int, text: str):
    assert write_balance(nano) == text
