"""Programs that are kept running; real ones, but none that speaks."""

import os
import sys

import pytest

from tokengate.engines.program import Crew, ProgramEnded, end_program, pipe_of, start_program

ECHO = [sys.executable, "-c", "import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)"]


def test_a_program_answers_and_ends() -> None:
    process = start_program(ECHO)

    pipe_of(process.stdin).write(b"hello\n")
    pipe_of(process.stdin).flush()

    assert pipe_of(process.stdout).readline() == b"HELLO\n"
    end_program(process)
    assert process.returncode is not None


def test_a_program_is_told_nothing_of_the_environment_and_comes_last() -> None:
    process = start_program(
        [sys.executable, "-c", "import os; print(sorted(set(os.environ) - {'LC_CTYPE'}), os.getpriority(0, 0))"]
    )
    try:
        told = pipe_of(process.stdout).read()

        names, niceness = told.decode().rsplit(" ", 1)
        assert names == "[]"
        assert int(niceness) >= 10
        assert os.getsid(os.getpid()) != process.pid
    finally:
        end_program(process)


def test_what_cannot_be_started_is_a_sentence() -> None:
    with pytest.raises(ProgramEnded, match="/nowhere/at/all cannot be started: No such file or directory"):
        start_program(["/nowhere/at/all"])


class Worker:
    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.alive = True
        self.closed = False

    def kill(self) -> None:
        self.alive = False

    def close(self) -> None:
        self.closed = True


def test_an_idle_worker_of_the_same_kind_is_taken_again() -> None:
    crew = Crew[str, Worker](Worker, 2)
    one = crew.take("a")
    crew.give_back("a", one, usable=True)

    assert crew.take("a") is one


def test_there_are_never_more_workers_than_allowed() -> None:
    crew = Crew[str, Worker](Worker, 2)
    one, other = crew.take("a"), crew.take("b")
    crew.give_back("a", one, usable=True)

    third = crew.take("c")

    assert one.closed
    assert not other.closed
    assert third.kind == "c"


def test_a_worker_that_died_or_failed_is_not_taken_again() -> None:
    crew = Crew[str, Worker](Worker, 1)
    failed = crew.take("a")
    crew.give_back("a", failed, usable=False)
    died = crew.take("a")
    died.alive = False
    crew.give_back("a", died, usable=True)

    fresh = crew.take("a")

    assert len({id(failed), id(died), id(fresh)}) == 3
    assert failed.closed
    assert died.closed


def test_a_worker_that_could_not_be_started_takes_no_place() -> None:
    def start(kind: str) -> Worker:
        if kind == "broken":
            raise ProgramEnded("it is broken.")
        return Worker(kind)

    crew = Crew[str, Worker](start, 1)
    with pytest.raises(ProgramEnded):
        crew.take("broken")

    assert crew.take("a").kind == "a"


def test_closing_ends_those_that_wait() -> None:
    crew = Crew[str, Worker](Worker, 2)
    one = crew.take("a")
    crew.give_back("a", one, usable=True)

    crew.close()

    assert one.closed
