"""Sound as the voice hands it over: 16-bit samples of one channel, brought to the rate that callers expect."""

import functools
import math
import struct
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Numbers = NDArray[numpy.float32]

RATE: Final = 24_000  # samples a second, as in OpenAI's `pcm`
SAMPLE_BYTES: Final = 2

_HALF: Final = 16  # samples to either side that a new sample is made of
_PASSED: Final = 0.95  # of the band: the filter needs the rest to fall off
_UNKNOWN: Final = 0xFFFFFFFF  # the length of a file that is still being made


def wav_head() -> bytes:
    """Return the head of a WAV file whose length is not known yet, as OpenAI writes it."""
    form = struct.pack("<HHIIHH", 1, 1, RATE, RATE * SAMPLE_BYTES, SAMPLE_BYTES, 8 * SAMPLE_BYTES)
    return struct.pack("<4sI4s4sI", b"RIFF", _UNKNOWN, b"WAVE", b"fmt ", len(form)) + form + b"data" + b"\xff" * 4


def silence(seconds: float) -> bytes:
    """Return samples of nothing."""
    return bytes(SAMPLE_BYTES * int(RATE * seconds))


def resampled(samples: bytes, rate: int) -> bytes:
    """Return the same sound at RATE, by a windowed sinc filter."""
    import numpy
    from numpy.lib.stride_tricks import sliding_window_view

    if rate == RATE or not samples:
        return samples
    given = numpy.frombuffer(samples, "<i2").astype(numpy.float32)
    up, down = RATE // math.gcd(rate, RATE), rate // math.gcd(rate, RATE)
    windows = sliding_window_view(numpy.pad(given, (_HALF - 1, _HALF)), 2 * _HALF)
    made = numpy.empty(-(-len(given) * up // down), numpy.float32)
    for phase, filter_ in enumerate(_filters(up, down)):
        of_phase = made[phase::up]
        of_phase[:] = windows[phase * down // up :: down][: len(of_phase)] @ filter_
    return numpy.clip(numpy.rint(made), -32_768, 32_767).astype("<i2").tobytes()


@functools.cache
def _filters(up: int, down: int) -> "list[Numbers]":
    """Return, for each place of a new sample between two given ones, the weights of those around it."""
    import numpy

    passed = min(1.0, up / down) * _PASSED
    window = numpy.arange(-_HALF + 1, _HALF + 1)
    filters: list[Numbers] = []
    for phase in range(up):
        distance = window - phase * down % up / up
        weights = numpy.sinc(passed * distance) * numpy.cos(numpy.pi * distance / (2 * _HALF)) ** 2
        filters.append((weights / weights.sum()).astype(numpy.float32))
    return filters
