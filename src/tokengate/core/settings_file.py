"""Reads `tokengate.toml` and the environment into `Settings`; the only place that reads the environment.

A flag beats the environment, the environment beats the file, the file beats the default. A mistake is one
`SettingsError` whose sentence names the file and line, the key, and what is allowed there.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Literal, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta

from tokengate.core.networks import read_networks
from tokengate.core.settings import OidcSettings, ResultSettings, Settings, UpstreamSettings
from tokengate.core.toml_lines import KeyPath, line_of

DEFAULT_FILE = Path("tokengate.toml")

# Variables that stand for one key of [server].
VARIABLES = {
    "TOKENGATE_DATABASE_URL": "database",
    "TOKENGATE_DATA": "data",
    "TOKENGATE_HOST": "host",
    "TOKENGATE_PORT": "port",
    "TOKENGATE_LOG_LEVEL": "log_level",
}

_Place = Callable[[KeyPath], str]


class SettingsError(Exception):
    """A mistake in the configuration; the message says where, and what is allowed."""


def load(
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, object] | None = None,
) -> Settings:
    """Return the settings of `path`, else of `TOKENGATE_CONFIG`, else of `tokengate.toml` where there is one.

    `overrides` are keys of [server], such as `{"port": 8701}`; one that is None does not count.
    Raises SettingsError.
    """
    environ = os.environ if environ is None else environ
    file = config_file(path, environ)
    text = "" if file is None else _text_of(file)
    tree: dict[str, object] = {} if file is None else _tree_of(file, text)

    def in_file(where: KeyPath) -> str:
        return f"{file}:{line_of(text, where)}"

    settings = _settings_of(tree, in_file)
    for where, message in _mistakes(settings):
        raise SettingsError(f"{in_file(where)}: {message}")

    variables = {key: (name, environ[name]) for name, key in VARIABLES.items() if environ.get(name)}
    flags = {key: (f"--{key}", value) for key, value in (overrides or {}).items() if value is not None}
    sources = variables | flags
    if not sources:
        return settings
    server = {key: _integer_if_digits(value) for key, (_, value) in sources.items()}
    merged = {**tree, "server": {**cast("dict[str, object]", tree.get("server", {})), **server}}
    return _settings_of(merged, lambda where: sources[str(where[1])][0])


def config_file(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the file that `load` reads; None when none was named and there is no `tokengate.toml`."""
    named = secret("TOKENGATE_CONFIG", environ)
    if path is None and named is not None:
        path = Path(named)
    if path is None and DEFAULT_FILE.is_file():
        path = DEFAULT_FILE
    return path


def secret(name: str, environ: Mapping[str, str] | None = None) -> str | None:
    """Return an environment variable such as `OPENAI_API_KEY`; None when it is absent or empty."""
    return (os.environ if environ is None else environ).get(name, "").strip() or None


def credential(upstream: UpstreamSettings, environ: Mapping[str, str] | None = None) -> str:
    """Return the key of an upstream, from the file or from the variable that it names; empty when it needs none.

    Raises SettingsError when that variable is not set.
    """
    if not upstream.api_key_env:
        return upstream.api_key
    found = secret(upstream.api_key_env, environ)
    if found is None:
        raise SettingsError(
            f"upstream {upstream.name!r} takes its key from {upstream.api_key_env}, which the environment does not set."
        )
    return found


def client_secret(provider: OidcSettings, environ: Mapping[str, str] | None = None) -> str:
    """Return the secret of a provider of sign-ins, from the file or from the variable that it names; empty for a public
    client. Raises SettingsError when that variable is not set."""
    if not provider.client_secret_env:
        return provider.client_secret
    found = secret(provider.client_secret_env, environ)
    if found is None:
        raise SettingsError(
            f"oidc {provider.name!r} takes its secret from {provider.client_secret_env}, "
            "which the environment does not set."
        )
    return found


def storage_keys(results: ResultSettings, environ: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Return the id of the key of object storage and its secret, from the variables that the settings name; both empty
    for a folder. Raises SettingsError when one of them is not set."""
    if not results.url.startswith(("s3:", "oss:")):
        return "", ""
    names = (results.access_key_env, results.secret_key_env)
    found = [secret(name, environ) or "" for name in names]
    for name, value in zip(names, found, strict=True):
        if not value:
            raise SettingsError(f"results.url {results.url!r} needs {name}, which the environment does not set.")
    return found[0], found[1]


def _text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(f"{file}: there is no such file.") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file}: the file is not UTF-8 ({error.reason} at byte {error.start}).") from None
    except OSError as error:
        raise SettingsError(f"{file}: the file cannot be read ({error.strerror}).") from None


def _tree_of(file: Path, text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason, _, place = str(error).partition(" (at ")
        at = re.match(r"line (\d+)", place)
        line = int(at[1]) if at else max(len(text.splitlines()), 1)
        raise SettingsError(f"{file}:{line}: this is not TOML: {reason[:1].lower()}{reason[1:]}.") from None


def _settings_of(tree: dict[str, object], place: _Place) -> Settings:
    try:
        return msgspec.convert(tree, Settings, dec_hook=_read_path)
    except msgspec.ValidationError as error:
        where, message = _explain(str(error))
        raise SettingsError(f"{place(where)}: {message}") from None


def _read_path(kind: type, value: object) -> Path:
    assert kind is Path, kind
    if not isinstance(value, str):
        raise ValueError("not a path")
    return Path(value)


def _integer_if_digits(value: object) -> object:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value


def _mistakes(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """Yield what types alone cannot say."""
    for text in settings.server.trusted_proxies:
        try:
            read_networks([text])
        except ValueError as error:
            yield ("server", "trusted_proxies"), f"server.trusted_proxies: {error}."
    for index, provider in enumerate(settings.oidc):
        if provider.name in [other.name for other in settings.oidc[:index]]:
            yield ("oidc", index, "name"), f"oidc.name {provider.name!r} is used twice; each needs its own."
        if provider.client_secret and provider.client_secret_env:
            yield ("oidc", index, "client_secret_env"), "give oidc.client_secret or oidc.client_secret_env, not both."
    if settings.results.url.startswith("oss:") and not settings.results.region:
        yield ("results", "url"), 'results.region is missing; OSS needs it, such as "cn-hangzhou".'
    yield from _repeated(settings)


def _repeated(settings: Settings) -> Iterator[tuple[KeyPath, str]]:
    """Yield names that stand for two things, and credentials given twice."""
    names: set[str] = set()
    for index, upstream in enumerate(settings.upstream):
        if upstream.name in names:
            yield ("upstream", index, "name"), f"upstream.name {upstream.name!r} is used twice; each needs its own."
        if upstream.api_key and upstream.api_key_env:
            yield ("upstream", index, "api_key_env"), "give upstream.api_key or upstream.api_key_env, not both."
        names.add(upstream.name)
    models: set[str] = set()
    for index, model in enumerate(settings.model):
        if model.id in models:
            yield ("model", index, "id"), f"model.id {model.id!r} is used twice; each model is described once."
        models.add(model.id)
    for index, app in enumerate(settings.app):
        if app.name in [other.name for other in settings.app[:index]]:
            yield ("app", index, "name"), f"app.name {app.name!r} is used twice; each application needs its own."


def _explain(error: str) -> tuple[KeyPath, str]:
    """Turn msgspec's message into the key path at fault and a sentence about it."""
    message, _, tail = error.partition(" - at `$")
    where: KeyPath = tuple(
        int(index) if index else name for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", tail) if name or index
    )
    if unknown := re.match(r"Object contains unknown field `(.*)`", message):
        return (*where, unknown[1]), _unknown(where, unknown[1])
    if missing := re.match(r"Object missing required field `(.*)`", message):
        return where, f"{_dotted((*where, missing[1]))} is missing; it must be {_allowed((*where, missing[1]))}."
    return where, f"{_dotted(where)} must be {_allowed(where)}."


def _unknown(where: KeyPath, key: str) -> str:
    allowed = list(get_type_hints(_alternatives(_type_at(where))[0]))
    near = get_close_matches(key, allowed, n=1)
    guess = f" Did you mean {near[0]!r}?" if near else ""
    return f"{_dotted((*where, key))} is not a setting.{guess} Allowed here: {', '.join(allowed)}."


def _dotted(where: KeyPath) -> str:
    return ".".join(part for part in where if isinstance(part, str))


def _type_at(where: KeyPath) -> object:
    """Return the type that the settings declare for a key path; the holder's when the path ends inside it."""
    found: object = Settings
    for part in where:
        choices = _alternatives(found)
        if isinstance(part, int):
            found = next(get_args(kind)[0] for kind in choices if get_origin(kind) is list)
        elif isinstance(choices[0], type) and get_origin(choices[0]) is None:
            found = get_type_hints(choices[0], include_extras=True)[part]
    return found


def _alternatives(kind: object) -> list[object]:
    """Return the members of a union but for None, or the type itself."""
    if get_origin(kind) in (None, list, dict, Annotated, Literal):
        return [kind]
    return [member for member in get_args(kind) if member is not type(None)]


_WORDS: dict[object, str] = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a text in quotes",
    Path: "a path in quotes",
}


def _allowed(where: KeyPath) -> str:
    return " or ".join(_describe(kind) for kind in _alternatives(_type_at(where)))


def _describe(kind: object) -> str:
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(f'"{choice}"' for choice in get_args(kind))
    if get_origin(kind) is list:
        return "a list"
    if get_origin(kind) is Annotated:
        return _describe_limits(*get_args(kind))
    return _WORDS.get(kind, "a table")


def _describe_limits(kind: object, limits: Meta) -> str:
    words = _WORDS[kind]
    if limits.description is not None:
        return limits.description
    if limits.ge is not None and limits.le is not None:
        return f"{words} from {limits.ge} to {limits.le}"
    if limits.ge is not None:
        return f"{words} of at least {limits.ge}"
    if limits.gt is not None:
        return f"{words} above {limits.gt}"
    return f"{words}, not empty"
