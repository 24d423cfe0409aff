"""A process that fetches one file as a job's worker does and keeps it, and says how much memory that took.

python -m tests.e2e.fetch_large ADDRESS PLACE [S3-ENDPOINT]
"""

import asyncio
import sys
from pathlib import Path

from tokengate.core.clock import SystemClock
from tokengate.core.ids import new_id
from tokengate.core.settings import ResultSettings, UpstreamSettings
from tokengate.files.object_storage import place_of
from tokengate.files.results import Results
from tokengate.upstream.guard import Guard
from tokengate.upstream.media import MediaFetcher
from tokengate.upstream.transport import HttpTransport


async def fetch(address: str, url: str, endpoint: str) -> None:
    clock = SystemClock()
    settings = ResultSettings(url=url, endpoint=endpoint)
    results = Results(place_of(settings, Path(), ("id", "secret")), clock, new_id=new_id)
    media = UpstreamSettings("The file's server", "https://media.invalid")
    transport = HttpTransport(media, clock, Guard(["127.0.0.1"]), shows_redirects=True)
    fetcher = MediaFetcher(transport)
    try:
        for name in ("small.mp4", "large.mp4"):
            before_bytes = peak_bytes("self")
            async with fetcher.stream(f"{address}/{name}", 1 << 40, "video/mp4") as found:
                stored = await results.put("job_1", name, found.media_type, found.pieces(), 1 << 40)
            assert found.media is not None
            print(stored.size_bytes, stored.sha256, peak_bytes("self") - before_bytes, found.media.duration_ms)
    finally:
        await transport.close()


def peak_bytes(process: str) -> int:
    """Return the most memory that a process has had."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    asyncio.run(fetch(sys.argv[1], sys.argv[2], "".join(sys.argv[3:])))
