"""Finds providers by walking this folder: a vendor is a module with a `PROVIDER`, and there is no list to edit."""

import pkgutil
from collections.abc import Callable
from functools import cache
from importlib import import_module

from msgspec.structs import replace

from tokengate import providers
from tokengate.core.settings import UpstreamSettings
from tokengate.providers.provider import Provider


def provider_of(name: str) -> Provider:
    """Return a provider by the name of its module. Raises ValueError, naming those there are."""
    known = all_providers()
    if name not in known:
        raise ValueError(f"there is no provider {name!r}; there are {', '.join(sorted(known))}")
    return known[name]


def with_address(upstream: UpstreamSettings) -> UpstreamSettings:
    """Return an upstream with its address: its own, else its provider's. Raises ValueError when nobody knows it."""
    provider = provider_of(upstream.provider)
    if upstream.base_url:
        return upstream
    if not provider.base_url:
        raise ValueError(f"base_url is missing: {provider.name} has no address of its own.")
    return replace(upstream, base_url=provider.base_url)


@cache
def all_providers() -> dict[str, Provider]:
    """Return every provider by name."""
    found: dict[str, Provider] = {}
    for module in pkgutil.iter_modules(providers.__path__):
        provider: Provider | None = getattr(import_module(f"{providers.__name__}.{module.name}"), "PROVIDER", None)
        if provider is not None:
            assert provider.name == module.name, f"{module.name}.py holds the provider {provider.name!r}"
            found[provider.name] = provider
    return found


def upstreams_from_environment(secret: Callable[[str], str | None]) -> list[UpstreamSettings]:
    """Return an upstream for each vendor whose key is set; `secret` looks a variable up."""
    return [
        UpstreamSettings(
            name=provider.name,
            base_url=provider.base_url,
            provider=provider.name,
            api_key_env=provider.key_env,
            on_abort=provider.on_abort,
        )
        for provider in all_providers().values()
        if provider.key_env and secret(provider.key_env)
    ]
