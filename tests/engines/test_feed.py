import asyncio
from concurrent.futures import ThreadPoolExecutor

from tests.support import eventually
from tokengate.engines.feed import End, Feed
from tokengate.engines.pieces import Piece

ROOM = 1_024


async def test_pieces_arrive_in_order() -> None:
    feed = Feed[Piece](asyncio.get_running_loop())
    await asyncio.to_thread(lambda: [feed.put(Piece(0, str(number))) for number in range(10)])
    await asyncio.to_thread(feed.put, End(0))

    got = [await feed.get() for _ in range(11)]

    assert got == [*(Piece(0, str(number)) for number in range(10)), End(0)]


async def test_a_reader_waits_for_the_next_piece() -> None:
    feed = Feed[Piece](asyncio.get_running_loop())
    reading = asyncio.create_task(feed.get())
    await asyncio.sleep(0)

    await asyncio.to_thread(feed.put, Piece(0, "late"))

    assert await reading == Piece(0, "late")


async def test_a_producer_waits_for_a_reader_that_is_behind() -> None:
    feed = Feed[Piece](asyncio.get_running_loop())
    put = 0

    def produce() -> None:
        nonlocal put
        for number in range(ROOM + 10):
            feed.put(Piece(0, str(number)))
            put += 1

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(produce)
        await eventually(lambda: put == ROOM)
        assert not done.done()

        for _ in range(10):
            await feed.get()

        await eventually(done.done)
        assert put == ROOM + 10


async def test_closing_wakes_both_sides() -> None:
    feed = Feed[Piece](asyncio.get_running_loop())

    with ThreadPoolExecutor(1) as pool:
        put = pool.submit(lambda: [feed.put(Piece(0, "x")) for _ in range(ROOM + 1)])
        await eventually(put.running)
        feed.close()

        assert await asyncio.wrap_future(put)
        assert feed.put(Piece(0, "y")) is False
        assert await feed.get() is None
