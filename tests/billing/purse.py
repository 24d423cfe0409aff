"""A wallet in memory that keeps the ledger's rules: what billing asks of a teller, without a database."""

from tokengate.core.errors import InsufficientBalance
from tokengate.ledger import rules
from tokengate.ledger.rules import Hold, Lease
from tokengate.ledger.teller import Settlement, Teller

WALLET = "wal_1"


class Purse(Teller):
    """One wallet with so much in it, all of it leased."""

    def __init__(self, nano: int) -> None:
        self.lease = Lease(WALLET)
        self.lease.lend(nano)
        self.lease.balance_nano = nano

    def try_hold(self, wallet_id: str, nano: int) -> Hold | None:
        return rules.take(self.lease, nano, 0)

    async def hold(self, wallet_id: str, nano: int) -> Hold:
        hold = self.try_hold(wallet_id, nano)
        if hold is None:
            raise InsufficientBalance(needed_nano=nano, available_nano=self.lease.free_nano)
        return hold

    async def grow(self, hold: Hold, nano: int) -> int:
        return rules.grow(hold, nano)

    def settle(self, hold: Hold, cost_nano: int, *, call_id: str, now_ms: int) -> Settlement:
        return Settlement(*rules.settle(hold, cost_nano), rows=[])

    def release(self, hold: Hold) -> None:
        rules.release(hold)

    def reach_nano(self, wallet_id: str) -> int:
        return self.lease.free_nano
