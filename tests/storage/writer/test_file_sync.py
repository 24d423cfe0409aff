import errno
import os
from pathlib import Path
from typing import Any

import pytest
from caio import linux_aio_asyncio

from tokengate.storage.writer import file_sync
from tokengate.storage.writer.file_sync import FileSync


async def test_an_open_file_is_synced(tmp_path: Path) -> None:
    file = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT)
    sync = FileSync(file)
    await sync.open()

    for number in range(3):
        os.write(file, b"%d" % number)
        await sync.sync()

    sync.close()
    os.close(file)


async def test_a_file_that_is_no_longer_open_is_an_error(tmp_path: Path) -> None:
    file = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT)
    sync = FileSync(file)
    await sync.open()
    os.close(file)

    with pytest.raises(OSError):
        await sync.sync()
    sync.close()


async def test_a_signal_at_the_wrong_moment_does_not_lose_the_end_of_a_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect = linux_aio_asyncio.AsyncioContext._on_read_event  # pyright: ignore[reportPrivateUsage] - what it may raise
    interrupted: list[bool] = []

    def interrupt_once(self: linux_aio_asyncio.AsyncioContext) -> None:
        if not interrupted:
            interrupted.append(True)
            raise SystemError(errno.EINTR, "Interrupted system call")
        collect(self)

    monkeypatch.setattr(linux_aio_asyncio.AsyncioContext, "_on_read_event", interrupt_once)
    with (tmp_path / "log").open("wb") as log:
        sync = FileSync(log.fileno())
        await sync.open()
        assert interrupted
        sync.close()


async def test_a_kernel_that_refuses_the_sync_keeps_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []

    class Refusing:
        def __init__(self, *_args: Any, **_options: Any) -> None:
            pass

        async def fdsync(self, _file: int) -> None:
            raise OSError(errno.EINVAL, "Invalid argument")

        def close(self) -> None:
            closed.append(True)

    monkeypatch.setattr(file_sync, "_KernelSyncs", Refusing)
    with (tmp_path / "log").open("wb") as log:
        sync = FileSync(log.fileno())
        await sync.open()
        await sync.sync()
        assert closed == [True]
        sync.close()


async def test_threads_do_it_where_the_kernel_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_args: Any, **_options: Any) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(file_sync, "_KernelSyncs", refused)
    with (tmp_path / "log").open("wb") as log:
        sync = FileSync(log.fileno())
        await sync.open()
        log.write(b"x")
        log.flush()
        await sync.sync()
        sync.close()
