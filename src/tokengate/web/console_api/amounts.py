"""Amounts in forms: decimal strings in yuan, read into nano yuan."""

from tokengate.core.errors import BadRequest
from tokengate.core.money import read_yuan


def read_amount(text: str, param: str, *, zero: bool = False) -> int:
    """Return the nano amount of what a form says, above zero (or zero). Raises BadRequest."""
    try:
        nano = read_yuan(text)
    except ValueError as error:
        raise BadRequest(f"{str(error)[:1].upper()}{str(error)[1:]}.", param=param, code="bad_amount") from None
    if nano < 0 or (nano == 0 and not zero):
        raise BadRequest("The amount must be above zero.", param=param, code="bad_amount")
    return nano
