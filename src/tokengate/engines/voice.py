"""Piper as a program: one line of text in, one WAV file out, again and again.

Piper and the espeak-ng inside it are under the GPL (v3 or later), so it is never imported: it runs by its own command
line, `piper --output-dir`, which names each file on its standard error once the file is whole.
https://github.com/OHF-Voice/piper1-gpl/blob/main/docs/CLI.md, 2026-11.
"""

import re
import sys
import tempfile
import wave
from pathlib import Path
from typing import Final

from tokengate.engines.program import ProgramEnded, end_program, pipe_of, start_program

PAUSE_S: Final = 0.2  # after a sentence, at the voice's own speed

_WROTE: Final = b"INFO:__main__:Wrote "
# What stands between doubled brackets would be read as phonemes.
_without_phonemes = re.compile(r"\[(?=\[)").sub


class Voice:
    """Implements `Worker`: a voice that is loaded, reading at one speed."""

    def __init__(self, onnx: Path, speed: float) -> None:
        """Start to load. Raises ProgramEnded when Python cannot be started."""
        self._folder = tempfile.TemporaryDirectory(prefix="tokengate-voice-")
        try:
            self._process = start_program(
                [
                    *(sys.executable, "-P", "-X", "utf8", "-m", "piper", "--model", str(onnx.resolve())),
                    *("--output-dir", self._folder.name, "--length-scale", str(1 / speed)),
                    *("--sentence-silence", str(PAUSE_S / speed)),
                ],
                folder=Path(self._folder.name),
                tells="stderr",
            )
        except ProgramEnded:
            self._folder.cleanup()
            raise

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def read_aloud(self, line: str) -> tuple[bytes, int]:
        """Return the samples of a line, and how many there are a second. Raises ProgramEnded."""
        pipe = pipe_of(self._process.stdin)
        try:
            pipe.write(_without_phonemes("[ ", line).encode() + b"\n")
            pipe.flush()
        except OSError as error:
            raise ProgramEnded("Piper broke off.") from error
        for told in pipe_of(self._process.stderr):
            if told.startswith(_WROTE):
                return self._taken(told.removeprefix(_WROTE).decode().strip())
        raise ProgramEnded("Piper broke off.")

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        end_program(self._process)
        self._folder.cleanup()

    def _taken(self, name: str) -> tuple[bytes, int]:
        path = Path(self._folder.name, Path(name).name)
        try:
            with wave.open(str(path)) as file:
                return file.readframes(file.getnframes()), file.getframerate()
        except (OSError, EOFError, wave.Error) as error:
            raise ProgramEnded("Piper wrote no sound.") from error
        finally:
            path.unlink(missing_ok=True)
