"""Makes what was written to a file durable, without a thread that would fight the event loop for the interpreter.

The kernel syncs and tells the event loop (Linux AIO, io_submit(2) with IOCB_CMD_FDSYNC). Where a sandbox or a file
system does not offer that, a pool of native threads does it.
"""

import asyncio
import errno

from caio import linux_aio_asyncio, thread_aio_asyncio

_AT_ONCE = 4  # syncs under way; the writer has one


class _KernelSyncs(linux_aio_asyncio.AsyncioContext):
    """The kernel's syncs, also when a signal arrives while their ends are collected: the library would leave them
    where they are, and who waits would wait for ever."""

    def _on_read_event(self) -> None:
        while True:
            try:
                return super()._on_read_event()
            except SystemError as error:
                if error.args[:1] != (errno.EINTR,):
                    raise


class FileSync:
    """Syncs one open file again and again."""

    def __init__(self, file: int) -> None:
        self._file = file

    async def open(self) -> None:
        """Find the way that works here, by one sync. Raises OSError when none does."""
        loop = asyncio.get_running_loop()
        try:
            self._context = _KernelSyncs(_AT_ONCE, loop=loop)
            try:
                await self.sync()
            except OSError:
                self._context.close()
                raise
        except OSError:
            self._context = thread_aio_asyncio.AsyncioContext(_AT_ONCE, loop=loop)
            await self.sync()

    async def sync(self) -> None:
        """Return when all that was written is on the disk. Raises OSError when that is not certain."""
        try:
            await self._context.fdsync(self._file)  # pyright: ignore[reportUnknownMemberType]  # Awaitable of nothing
        except (ValueError, SystemError) as error:  # what the library makes of some of the kernel's answers
            raise OSError(str(error)) from error

    def close(self) -> None:
        self._context.close()
