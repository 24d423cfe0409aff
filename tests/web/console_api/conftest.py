from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.web.console_site import Site, console_site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncGenerator[Site]:
    async with console_site(tmp_path / "gateway") as site:
        yield site
