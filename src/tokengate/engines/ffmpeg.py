"""Compressed sound through ffmpeg, a program of its own: samples go in, the file comes out while it is made.

ffmpeg's usual builds are under the GPL; it is run, never linked.
"""

import importlib.util
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tokengate.engines.program import ProgramEnded, end_program, pipe_of, start_program
from tokengate.engines.sound import RATE, SAMPLE_BYTES

_READ_BYTES: Final = 32 * 1024

_OUTPUTS: Final[Mapping[str, tuple[str, ...]]] = {
    "mp3": ("-c:a", "libmp3lame", "-b:a", "96k", "-write_xing", "0", "-f", "mp3"),
    "opus": ("-c:a", "libopus", "-b:a", "48k", "-page_duration", "200000", "-f", "ogg"),
    "aac": ("-c:a", "aac", "-b:a", "96k", "-f", "adts"),
    "flac": ("-c:a", "flac", "-f", "flac"),
}


def find_ffmpeg(named: str) -> str | None:
    """Return the program that the configuration names; else the system's own, or the one of imageio-ffmpeg."""
    return shutil.which(named) if named else shutil.which("ffmpeg") or _carried()


def _carried() -> str | None:
    package = importlib.util.find_spec("imageio_ffmpeg")
    if package is None or not package.submodule_search_locations:
        return None
    found = sorted(Path(package.submodule_search_locations[0], "binaries").glob("ffmpeg-*"))
    return str(found[0]) if found else None


class Encoder:
    """One file that is being made; `put` gets its bytes on a thread of its own, and raises ProgramEnded when nobody
    reads.

    FLAC is put once it is whole: its head says how long it is, and many readers trust that.
    """

    def __init__(self, ffmpeg: str, sound_format: str, put: Callable[[bytes], None]) -> None:
        """Raises ProgramEnded when ffmpeg cannot be started."""
        self._put = put
        self._kept = bytearray() if sound_format == "flac" else None
        self._samples = 0
        self._process = start_program(
            [
                *(ffmpeg, "-hide_banner", "-loglevel", "quiet", "-nostdin"),
                *("-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "pipe:0"),
                *("-map_metadata", "-1", "-flush_packets", "1", *_OUTPUTS[sound_format], "pipe:1"),
            ]
        )
        self._reader = threading.Thread(target=self._read, name="ffmpeg", daemon=True)
        self._reader.start()

    def write(self, samples: bytes) -> None:
        """Give more sound. Raises ProgramEnded."""
        pipe = pipe_of(self._process.stdin)
        self._samples += len(samples) // SAMPLE_BYTES
        try:
            pipe.write(samples)
            pipe.flush()
        except OSError as error:
            raise ProgramEnded("ffmpeg broke off.") from error

    def finish(self) -> None:
        """Return once the whole file was put. Raises ProgramEnded."""
        pipe = pipe_of(self._process.stdin)
        try:
            pipe.close()
        except OSError as error:
            raise ProgramEnded("ffmpeg broke off.") from error
        self._reader.join()
        if self._process.wait():
            raise ProgramEnded(f"ffmpeg ended with {self._process.returncode}.")
        if self._kept:
            self._put(_with_length(bytes(self._kept), self._samples))

    def kill(self) -> None:
        """Make it end, from any thread and without waiting."""
        self._process.kill()

    def close(self) -> None:
        """End it. Safe after `finish`."""
        self._process.kill()
        self._reader.join()
        end_program(self._process)

    def _read(self) -> None:
        out = pipe_of(self._process.stdout)
        while piece := os.read(out.fileno(), _READ_BYTES):
            if self._kept is not None:
                self._kept += piece
                continue
            try:
                self._put(piece)
            except ProgramEnded:
                self._process.kill()
                return


def _with_length(flac: bytes, samples: int) -> bytes:
    """Write how many samples there are into the head, where 36 bits are for it.

    https://www.rfc-editor.org/rfc/rfc9639#name-streaminfo
    """
    start, end = 18, 26
    facts = int.from_bytes(flac[start:end]) >> 36 << 36 | samples
    return flac[:start] + facts.to_bytes(end - start) + flac[end:]
