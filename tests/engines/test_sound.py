import io
import wave

import numpy
import pytest
import soundfile

from tokengate.engines.sound import RATE, resampled, silence, wav_head


def tone(hertz: float, rate: int, seconds: float = 1.0) -> bytes:
    at_s = numpy.arange(int(rate * seconds)) / rate
    return (20_000 * numpy.sin(2 * numpy.pi * hertz * at_s)).astype("<i2").tobytes()


@pytest.mark.parametrize("rate", [16_000, 22_050, 44_100, 48_000])
def test_a_tone_is_the_same_tone_at_another_rate(rate: int) -> None:
    heard = numpy.frombuffer(resampled(tone(1_000, rate), rate), "<i2").astype(float)
    wanted = numpy.frombuffer(tone(1_000, RATE), "<i2").astype(float)

    assert len(heard) == RATE
    inside = slice(100, -100)  # at its ends a sound is next to nothing
    assert numpy.abs(heard[inside] - wanted[inside]).max() < 40  # of 20,000


def test_what_the_rate_cannot_carry_is_left_out() -> None:
    heard = numpy.frombuffer(resampled(tone(15_000, 48_000), 48_000), "<i2")

    assert numpy.abs(heard[100:-100]).max() < 200


def test_a_sound_at_the_rate_is_untouched_and_nothing_stays_nothing() -> None:
    assert resampled(tone(100, RATE), RATE) == tone(100, RATE)
    assert resampled(b"", 22_050) == b""
    assert silence(0.5) == bytes(RATE)


def test_a_file_whose_head_came_before_its_sound_is_read_to_its_end() -> None:
    file = wav_head() + tone(440, RATE, 0.5)

    samples, rate = soundfile.read(io.BytesIO(file), dtype="int16")

    assert (len(samples), rate) == (RATE // 2, RATE)
    with wave.open(io.BytesIO(file)) as read:
        assert (read.getframerate(), read.getnchannels(), read.getsampwidth()) == (RATE, 1, 2)
        assert read.readframes(RATE) == tone(440, RATE, 0.5)
