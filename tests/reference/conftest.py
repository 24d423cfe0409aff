from pathlib import Path

import pytest

SEEDS = Path(__file__).parent.parent / "fixtures" / "seeds"


@pytest.fixture(scope="session")
def seeds() -> dict[str, bytes]:
    """What the product pages show, by file name."""
    return {file.name: file.read_bytes() for file in SEEDS.iterdir()}
