from typing import Any, cast

from tokengate.upstream.idle import IdleConnections
from tokengate.upstream.reader import ReplyReader


class Line:
    """A connection as far as this looks at it."""

    def __init__(self) -> None:
        self.reusable = True
        self.released = False

    def release(self) -> None:
        self.released = True


def keep(idle: IdleConnections, line: Line, place: int = 0) -> Line:
    idle.keep(place, cast(ReplyReader, line))
    return line


def taken(idle: IdleConnections, place: int = 0) -> Any:
    return idle.take(place)


async def test_the_last_one_is_taken_first_and_only_for_its_own_place():
    idle = IdleConnections()
    first, second = keep(idle, Line()), keep(idle, Line())

    assert taken(idle, place=1) is None
    assert (taken(idle), taken(idle), taken(idle)) == (second, first, None)


async def test_one_that_the_backend_closed_is_left_out():
    idle = IdleConnections()
    standing, closed = keep(idle, Line()), keep(idle, Line())
    closed.reusable = False

    assert taken(idle) is standing
    assert closed.released


async def test_one_that_cannot_be_used_again_goes_to_the_connector():
    idle = IdleConnections()
    line = Line()
    line.reusable = False
    keep(idle, line)

    assert line.released
    assert taken(idle) is None


async def test_while_a_request_waits_every_connection_goes_to_the_connector():
    idle = IdleConnections()
    idle.waiting = 1

    assert keep(idle, Line()).released


async def test_let_go_hands_all_of_them_over():
    idle = IdleConnections()
    lines = [keep(idle, Line(), place) for place in (0, 1, 1)]

    idle.let_go()

    assert all(line.released for line in lines)
    assert taken(idle) is None
