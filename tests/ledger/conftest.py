from collections.abc import AsyncGenerator

import pytest

from tests.ledger.bank import Bank
from tests.support import FakeClock
from tokengate.storage.engine import Database


@pytest.fixture
async def bank(database: Database, clock: FakeClock) -> AsyncGenerator[Bank, None]:
    """One org with an empty wallet, a writer and an open teller, on each kind of database."""
    bank = await Bank.open(database, clock)
    yield bank
    await bank.close()
