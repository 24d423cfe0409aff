import asyncio
from pathlib import Path
from typing import cast

import pytest

from bench.load import Round, read_wrk, streamed_text, wrk_script
from bench.machine import BenchError
from bench.slow import StreamReader, http_request


def test_wrk_figures_are_read_from_its_result_line() -> None:
    output = (
        'Running 3s test\nRESULT {"requests":300,"seconds":3.0,"errors":2,"mean_ms":0.6,"p50_ms":0.5,"p99_ms":1.25}\n'
    )

    counted = read_wrk(output)

    assert counted == Round(300, 3.0, 2, 0.6, 0.5, 1.25)
    assert counted.per_s == 100


def test_connections_that_never_get_an_answer_are_seen_by_the_rate_they_leave() -> None:
    all_at_work = Round(requests=3000, seconds=3.0, errors=0, mean_ms=31.0, p50_ms=30.0, p99_ms=60.0)
    two_of_32_at_work = Round(requests=600, seconds=3.0, errors=0, mean_ms=10.0, p50_ms=10.0, p99_ms=20.0)

    assert all_at_work.stalled(32) == 0
    assert two_of_32_at_work.stalled(32) == 30
    assert Round(0, 3.0, 0, 0.0, 0.0, 0.0).stalled(8) == 8


def test_wrk_without_figures_is_an_error_with_what_it_said() -> None:
    with pytest.raises(BenchError, match="unable to connect"):
        read_wrk("unable to connect to 127.0.0.1:1")


def test_wrk_script_names_every_header_and_the_body_file() -> None:
    script = wrk_script(Path("/run/body.json"), {"Authorization": "Bearer sk-1"})

    assert 'wrk.headers["Authorization"] = "Bearer sk-1"' in script
    assert 'wrk.headers["Content-Type"] = "application/json"' in script
    assert 'io.open("/run/body.json", "rb")' in script


def test_a_stream_that_is_cut_is_an_error() -> None:
    with pytest.raises(BenchError, match="DONE"):
        streamed_text('data: {"choices":[{"delta":{"content":"a"}}]}\n\n')


class Closed:
    def write(self, data: bytes) -> None: ...

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("cut", range(1, 60))
async def test_slow_reader_counts_events_wherever_the_reads_cut_them(cut: int) -> None:
    answer = b"HTTP/1.1 200 OK\r\n\r\ndata: 1\n\ndata: 2\n\ndata: [DONE]\n\n"
    transport = Closed()
    reader = StreamReader(b"", asyncio.get_running_loop().create_future(), None)
    reader.connection_made(cast(asyncio.BaseTransport, transport))
    cut = max(cut, len("HTTP/1.1 200"))  # the status is read whole

    reader.data_received(answer[:cut])
    if answer[cut:] and not reader.complete:
        reader.data_received(answer[cut:])

    assert (reader.events, reader.complete, transport.closed) == (3, True, True)


def test_request_carries_length_and_headers() -> None:
    request = http_request("http://127.0.0.1:9/v1/chat/completions", {"Authorization": "Bearer sk-1"}, b"{}")

    assert request.startswith(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:9\r\n")
    assert b"Content-Length: 2\r\n" in request
    assert b"Authorization: Bearer sk-1\r\n" in request
    assert request.endswith(b"\r\n\r\n{}")
