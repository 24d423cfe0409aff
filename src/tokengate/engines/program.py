"""Programs of others that an engine keeps running: each is a process of its own, asked through pipes.

A program runs at low priority, in a session of its own (a key press that ends the gateway does not reach it), and is
told nothing of the gateway's environment. It ends with the gateway: its standard input closes.
"""

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO, Generic, Protocol, TypeVar

_NICENESS = 10  # the event loop and its calls come first


class ProgramEnded(Exception):
    """The program broke off: it was stopped, or it failed."""


def start_program(command: list[str], *, folder: Path | None = None, tells: str = "stdout") -> subprocess.Popen[bytes]:
    """Start a program whose answers are read from `stdout` or `stderr`. Raises ProgramEnded when it cannot be."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if tells == "stdout" else subprocess.DEVNULL,
            stderr=subprocess.PIPE if tells == "stderr" else subprocess.DEVNULL,
            env={},
            cwd=folder,
            start_new_session=True,
        )
    except OSError as error:
        raise ProgramEnded(f"{command[0]} cannot be started: {error.strerror}.") from error
    with contextlib.suppress(ProcessLookupError):  # it ended at once, which its reader will see
        os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
    return process


def end_program(process: subprocess.Popen[bytes]) -> None:
    """Kill a program, wait for its end and close its pipes."""
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):  # what was not written yet is nobody's any more
                pipe.close()


def pipe_of(pipe: IO[bytes] | None) -> IO[bytes]:
    """Return a pipe that was asked for."""
    assert pipe is not None, "the program was started with it"
    return pipe


class Worker(Protocol):
    """A program with its protocol."""

    @property
    def alive(self) -> bool: ...

    def kill(self) -> None:
        """Make it end, from any thread and without waiting; whoever waits for its answer gets ProgramEnded."""
        ...

    def close(self) -> None:
        """End it, and free all that it has."""
        ...


W = TypeVar("W", bound=Worker)
K = TypeVar("K")


class Crew(Generic[K, W]):
    """Workers that are running, by what they were started for; never more than `count`, busy ones included."""

    def __init__(self, start: Callable[[K], W], count: int) -> None:
        self._start = start
        self._count = count
        self._idle: list[tuple[K, W]] = []
        self._busy = 0
        self._changing = threading.Lock()

    def take(self, key: K) -> W:
        """Return an idle worker, or a new one in place of an idle one of another kind. At most `count` callers may
        hold a worker at once. Raises ProgramEnded."""
        with self._changing:
            found = next((one for one in self._idle if one[0] == key and one[1].alive), None)
            if found:
                self._idle.remove(found)
            unwanted = [one for one in self._idle if not one[1].alive]
            room = self._count - self._busy - (len(self._idle) - len(unwanted))
            if not found and room < 1:
                unwanted.append(next(one for one in self._idle if one not in unwanted))
            self._idle = [one for one in self._idle if one not in unwanted]
            self._busy += 1
        for _, worker in unwanted:
            worker.close()
        if found:
            return found[1]
        try:
            return self._start(key)
        except BaseException:
            with self._changing:
                self._busy -= 1
            raise

    def give_back(self, key: K, worker: W, *, usable: bool) -> None:
        """Keep a worker for the next caller, or end it."""
        with self._changing:
            self._busy -= 1
            if usable:
                self._idle.append((key, worker))
        if not usable:
            worker.close()

    def close(self) -> None:
        """End the idle workers; nobody may hold one."""
        with self._changing:
            idle, self._idle = self._idle, []
        for _, worker in idle:
            worker.close()
