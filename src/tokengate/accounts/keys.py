"""API keys as values: how one is made, how it is recognised, what it may do.

A key's text is shown once and never stored; the database has its SHA-256 digest, which is enough to recognise 256
random bits and useless to whoever reads it.
"""

import hashlib
import secrets
import string

from msgspec import Struct

from tokengate.core.networks import Network, read_networks
from tokengate.core.periods import Period

MAX_MODELS = 200
MAX_NETWORKS = 100

_ALPHABET = string.digits + string.ascii_letters  # no '-' or '_': a double click selects the whole key
_SECRET_BITS = 256
_SECRET_CHARS = 43  # 62**43 > 2**256
_PREFIX_CHARS = 8
_MOST = {  # what the columns hold
    "requests_per_minute": 2**31 - 1,
    "tokens_per_minute": 2**63 - 1,
    "concurrency": 2**31 - 1,
    "spend_per_day_nano": 2**63 - 1,
}


class KeyLimits(Struct, frozen=True, forbid_unknown_fields=True):
    """What a key may ask for; None is no limit. Raises ValueError for a limit that is not at least 1."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    concurrency: int | None = None
    spend_per_day_nano: int | None = None  # per UTC day

    def __post_init__(self) -> None:
        for name, most in _MOST.items():
            value = getattr(self, name)
            if value is not None and not 1 <= value <= most:
                raise ValueError(f"{name} must be a whole number from 1 to {most}, not {value}")


NO_LIMITS = KeyLimits()


class Budget(Struct, frozen=True):
    """What a key may spend in a period; spending counts when a call ends. Raises ValueError below one nano."""

    nano: int
    period: Period

    def __post_init__(self) -> None:
        if not 1 <= self.nano <= _MOST["spend_per_day_nano"]:
            raise ValueError("a budget must be above zero, and fit into the ledger")


class KeyRules(Struct, frozen=True):
    """What a key may be used for beside its limits; empty is everything. Raises ValueError for what is no network."""

    models: tuple[str, ...] = ()  # ids
    ips: tuple[str, ...] = ()  # addresses and CIDR blocks
    budget: Budget | None = None

    def __post_init__(self) -> None:
        if len(self.models) > MAX_MODELS or len(self.ips) > MAX_NETWORKS:
            raise ValueError(f"a key has at most {MAX_MODELS} models and {MAX_NETWORKS} networks")
        read_networks(self.ips)


NO_RULES = KeyRules()


class Principal(Struct, frozen=True):
    """Who makes a call: a usable key, and what it stands for."""

    key_id: str
    name: str
    org_id: str
    project_id: str
    wallet_id: str
    limits: KeyLimits = NO_LIMITS
    expires_ms: int | None = None
    models: frozenset[str] | None = None  # which may be called; None is all
    networks: tuple[Network, ...] | None = None  # where calls may come from; None is anywhere
    budget: Budget | None = None
    stores_responses: bool = True  # its project does


class NewKey(Struct, frozen=True):
    """A key just made: `text` is for its owner's eyes, the rest is what is stored."""

    text: str
    digest: bytes
    prefix: str
    last4: str


def new_key() -> NewKey:
    """Return a new random key: `sk-` and 43 letters and digits that carry 256 random bits."""
    number = secrets.randbits(_SECRET_BITS)
    chars: list[str] = []
    for _ in range(_SECRET_CHARS):
        number, digit = divmod(number, len(_ALPHABET))
        chars.append(_ALPHABET[digit])
    assert number == 0
    text = "sk-" + "".join(chars)
    return NewKey(text=text, digest=digest_of(text), prefix=text[:_PREFIX_CHARS], last4=text[-4:])


def digest_of(text: str) -> bytes:
    """Return the 32 bytes by which a key is known; defined for any text that a caller may send."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
