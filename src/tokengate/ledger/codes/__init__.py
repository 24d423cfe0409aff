"""Redemption codes: made in batches by an operator, each turned once into money in a wallet.

Redeeming is one transaction: one conditional UPDATE claims the code, and the journal entry that it names pays.
"""

from msgspec import Struct

from tokengate.core.clock import Clock, now_ms, seconds_of
from tokengate.core.errors import BadRequest
from tokengate.core.ids import NewId
from tokengate.core.ids import new_id as random_id
from tokengate.core.money import MAX_NANO
from tokengate.ledger import store as ledger
from tokengate.ledger.codes import store
from tokengate.ledger.codes.guesses import Guesses
from tokengate.ledger.codes.store import Batch
from tokengate.ledger.codes.text import new_code, read_code
from tokengate.ledger.store import Wallet
from tokengate.storage.engine import Tx

__all__ = ["MAX_SIZE", "Batch", "MadeBatch", "Redeemed", "Redeemer", "make_batch", "revoke"]

MAX_SIZE = 10_000  # codes in a batch: what one transaction takes in well under a second
_MAX_NOTE_CHARS = 500


class MadeBatch(Struct, frozen=True):
    """A new batch with the texts of its codes, which are not stored and cannot be shown again."""

    batch: Batch
    codes: tuple[str, ...]


class Redeemed(Struct, frozen=True):
    """What a code came to."""

    entry_id: str
    batch_id: str
    amount_nano: int
    wallet: Wallet


async def make_batch(
    tx: Tx,
    *,
    size: int,
    amount_nano: int,
    expires_ms: int | None,
    note: str,
    created_by: str,
    now_ms: int,
    new_id: NewId = random_id,
) -> MadeBatch:
    """Make a batch of codes for `amount_nano` each. Raises BadRequest, naming what is wrong."""
    if not 1 <= size <= MAX_SIZE:
        raise BadRequest(f"A batch has from 1 to {MAX_SIZE} codes.", param="count")
    if not 0 < amount_nano <= MAX_NANO // size:
        raise BadRequest(
            "The amount of a code must be above zero, and of a batch not beyond the ledger.", param="amount"
        )
    if expires_ms is not None and expires_ms <= now_ms:
        raise BadRequest("The codes would have expired already.", param="expires")
    if len(note) > _MAX_NOTE_CHARS or "\0" in note:
        raise BadRequest(f"A note has at most {_MAX_NOTE_CHARS} characters.", param="note")
    batch = Batch(
        id=new_id("cbt", seconds_of(now_ms)),
        amount_nano=amount_nano,
        size=size,
        note=note,
        created_by=created_by,
        created_ms=now_ms,
        expires_ms=expires_ms,
        revoked_ms=None,
        redeemed=0,
    )
    made = [new_code() for _ in range(size)]
    await store.add_batch(tx, batch, made)
    return MadeBatch(batch, tuple(code.text for code in made))


async def revoke(tx: Tx, batch_id: str, now_ms: int) -> Batch:
    """Refuse what is left of a batch from now on. Raises NotFound."""
    await store.revoke_batch(tx, batch_id, now_ms)
    return await store.get_batch(tx, batch_id)


class Redeemer:
    """Redeems codes, and slows down whoever guesses."""

    def __init__(self, clock: Clock, *, new_id: NewId = random_id) -> None:
        self._clock = clock
        self._new_id = new_id
        self._guesses = Guesses()

    def read(self, org_id: str, typed: str, *, by: str) -> bytes:
        """Return the digest of what somebody typed, for `redeem`. Raises RateLimited, or BadRequest whose `code` is
        code_malformed."""
        self._guesses.check((org_id, by), now_ms(self._clock))
        digest = read_code(typed)
        if digest is None:
            raise _refused("malformed", "This is not a redemption code; look for a slip of the finger.")
        return digest

    async def redeem(self, tx: Tx, org_id: str, wallet_id: str, digest: bytes, *, by: str) -> Redeemed:
        """Turn a code into money in a wallet.

        Raises NotFound for the wallet, or BadRequest whose `code` is code_unknown, code_redeemed, code_expired,
        code_revoked or code_does_not_fit; then nothing may be committed.
        """
        at_ms = now_ms(self._clock)
        await ledger.get_wallet(tx, org_id, wallet_id)
        found = await store.find_code(tx, digest)
        if found is None:
            self._guesses.note((org_id, by), at_ms)
            raise _refused("unknown", "There is no such redemption code.")
        entry_id = self._new_id("jnl", seconds_of(at_ms))
        claimed = await store.mark_redeemed(tx, org_id, wallet_id, digest, entry_id, by, at_ms)
        _refuse_unusable(found, claimed, at_ms)
        try:
            wallet = await ledger.redeem(
                tx, org_id, wallet_id, found.amount_nano, found.batch_id, f"code …{found.last4}", at_ms, entry_id
            )
        except ValueError as error:
            raise _refused("does_not_fit", f"The code cannot be redeemed: {error}.") from None
        return Redeemed(entry_id, found.batch_id, found.amount_nano, wallet)


def _refuse_unusable(found: store.FoundCode, claimed: bool, at_ms: int) -> None:
    if not claimed:
        raise _refused("redeemed", "This redemption code has been used already.")
    if found.revoked_ms is not None:
        raise _refused("revoked", "This redemption code was withdrawn.")
    if found.expires_ms is not None and at_ms >= found.expires_ms:
        raise _refused("expired", "This redemption code has expired.")


def _refused(why: str, message: str) -> BadRequest:
    return BadRequest(message, param="code", code=f"code_{why}")
