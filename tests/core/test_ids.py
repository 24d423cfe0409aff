from concurrent.futures import ThreadPoolExecutor

from tests.support import START_S
from tokengate.core.clock import day_of, seconds_of
from tokengate.core.ids import day_of_id, new_id


def test_ids_of_one_millisecond_are_in_the_order_in_which_they_were_made():
    made = [new_id("req", START_S) for _ in range(10_000)]

    assert made == sorted(set(made))


def test_later_millisecond_sorts_after_all_of_the_earlier_one():
    made = [new_id("req", START_S + ms / 1000) for ms in range(1_000) for _ in range(3)]

    assert made == sorted(set(made))


def test_id_has_its_prefix_and_128_bits_in_hexadecimal():
    made = new_id("wal", START_S)

    prefix, digits = made.split("_")
    assert (prefix, len(digits)) == ("wal", 32)
    assert int(digits[:12], 16) == START_S * 1000
    assert day_of_id(made) == day_of(START_S)


def test_whole_milliseconds_come_back_from_seconds():
    for now_ms in range(1_795_000_000_000, 1_795_000_002_000):
        assert int(new_id("req", seconds_of(now_ms))[4:16], 16) == now_ms


def test_threads_never_make_the_same_id():
    def make(_: int) -> list[str]:
        return [new_id("req", START_S) for _ in range(2_000)]

    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(make, range(8)))

    assert len({one for some in made for one in some}) == 16_000


def test_text_that_is_no_id_has_no_day():
    for text in ("", "req_", "no id of ours", f"req_{'g' * 32}", f"req_{'f' * 32}"):
        assert day_of_id(text) is None
