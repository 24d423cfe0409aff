"""Finds the master key, which seals what is confidential at rest: in the environment, else in its file.

The default file, in the data folder, is made at the first start; a file that the configuration names must exist.
"""

import base64
import binascii
import os
import re
import secrets
import stat
from pathlib import Path

from tokengate.core.sealing import KEY_BYTES
from tokengate.core.settings import ServerSettings

VARIABLE = "TOKENGATE_MASTER_KEY"

_MAX_FILE_BYTES = 1_024  # a key has 64; a larger file is none
_FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class MasterKeyError(Exception):
    """There is no usable master key; the message says where it was looked for, and what to do."""


def open_master_key(server: ServerSettings, from_environment: str | None) -> bytes:
    """Return the 32 bytes of the master key, made now when there is none yet. Raises MasterKeyError."""
    key = find_master_key(server, from_environment)
    return _create(_default_file(server)) if key is None else key


def find_master_key(server: ServerSettings, from_environment: str | None) -> bytes | None:
    """Return the key that is there; None when the first start has yet to make it. Raises MasterKeyError."""
    if from_environment is not None:
        return _read(from_environment, VARIABLE)
    if server.master_key_file:
        file = Path(server.master_key_file)
        if not file.exists():
            raise MasterKeyError(f"the master key file {file} does not exist; put it back, or correct master_key_file.")
    elif not (file := _default_file(server)).exists():
        return None
    return _read(_text_of(file), str(file))


def _default_file(server: ServerSettings) -> Path:
    return server.data / "master.key"


def _text_of(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            content = opened.read(_MAX_FILE_BYTES)
    except OSError as error:
        raise MasterKeyError(f"the master key file {file} cannot be read ({error.strerror}).") from None
    if mode & _FOR_OTHERS:
        raise MasterKeyError(f"the master key file {file} is open to other users (mode {mode:o}): chmod 600 {file}")
    return content.decode("ascii", "replace")


def _read(text: str, source: str) -> bytes:
    """Return the key that is written in hexadecimal or base64."""
    text = text.strip()
    if re.fullmatch(rf"[0-9a-fA-F]{{{KEY_BYTES * 2}}}", text):
        return bytes.fromhex(text)
    standard = text.translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        key = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise MasterKeyError(f"{source} holds no master key: 256 bits in hexadecimal (64 digits) or base64.")
    return key


def _create(file: Path) -> bytes:
    """Write a new key. It takes its name only when it is on the disk whole."""
    key = secrets.token_bytes(KEY_BYTES)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = file.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as opened:
            opened.write(f"{key.hex()}\n")
            opened.flush()
            os.fsync(opened.fileno())
        unfinished.rename(file)
        _sync_folder(file.parent)
    except OSError as error:
        raise MasterKeyError(f"the master key file {file} cannot be made ({error.strerror}).") from None
    return key


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
