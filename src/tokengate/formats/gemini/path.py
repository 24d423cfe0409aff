"""Paths of actions on a model, below Google's base URL as its SDK takes that."""

from typing import Final
from urllib.parse import quote

VERSION: Final = "v1beta"
_WHOLE_NAMES: Final = ("models/", "tunedModels/")  # before a model's name when it is said in full


def action(model: str, action: str) -> str:
    """Return the path of an action, such as generateContent, on a model."""
    whole = model if model.startswith(_WHOLE_NAMES) else f"models/{model}"
    return f"/{VERSION}/{quote(whole, safe='/-._~')}:{action}"
