"""The shapes of decoded JSON, told apart in a way that the type checker follows."""

from typing import Any, TypeGuard


def is_list(value: Any) -> TypeGuard[list[Any]]:
    """Say whether a decoded JSON value is a list."""
    return type(value) is list


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Say whether a decoded JSON value is an object."""
    return type(value) is dict
