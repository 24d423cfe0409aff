"""Amounts of money as signed integers of 10^-9 yuan (`nano`), and their decimal text.

Promises exactness: no float enters or leaves. Outside the code an amount is a decimal string in yuan.
"""

from decimal import Decimal, InvalidOperation

NANO_PER_YUAN = 1_000_000_000
_NANO_DIGITS = 9
MAX_NANO = 2**63 - 1  # what a signed 64-bit column holds: about 9.2 billion yuan

_BALANCE_STEP_NANO = NANO_PER_YUAN // 10_000  # the balance header shows 4 decimals


def read_yuan(text: str) -> int:
    """Return the nano amount of a decimal string in yuan, such as `"12.34"` -> 12_340_000_000.

    Raises ValueError for anything that is not a plain finite decimal, that has more than nine decimals,
    or that a 64-bit column cannot hold.
    """
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not an amount in yuan, such as 12.34") from None
    if not amount.is_finite():
        raise ValueError(f"{text!r} is not an amount in yuan, such as 12.34")
    if abs(amount) > Decimal(MAX_NANO) / NANO_PER_YUAN:
        raise ValueError(f"{text!r} yuan is larger than the ledger can hold")
    nano = amount * NANO_PER_YUAN
    if nano != nano.to_integral_value():
        raise ValueError(f"{text!r} has more than nine decimals; the smallest amount is 0.000000001 yuan")
    return int(nano)


def write_yuan(nano: int) -> str:
    """Return the shortest exact decimal string in yuan, such as 2_281_250 -> `"0.00228125"`."""
    return write_decimal(nano, _NANO_DIGITS)


def write_decimal(amount: int, digits: int) -> str:
    """Return `amount` x 10^-`digits` as the shortest exact decimal string."""
    if amount < 0:
        return "-" + write_decimal(-amount, digits)
    text = str(amount).zfill(digits + 1)
    part = text[-digits:].rstrip("0")
    return f"{text[:-digits]}.{part}" if part else text[:-digits]


def write_balance(nano: int) -> str:
    """Return a balance in yuan with four decimals, rounded down (towards minus infinity)."""
    steps = nano // _BALANCE_STEP_NANO
    text = str(abs(steps)).zfill(5)
    return f"{'-' if steps < 0 else ''}{text[:-4]}.{text[-4:]}"
