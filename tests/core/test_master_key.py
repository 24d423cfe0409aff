import base64
import stat
from pathlib import Path

import pytest

from tokengate.core.master_key import MasterKeyError, find_master_key, open_master_key
from tokengate.core.settings import ServerSettings

KEY = bytes(range(200, 232))
HEX = KEY.hex()


def file_with(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def refusal(server: ServerSettings, from_environment: str | None = None) -> str:
    with pytest.raises(MasterKeyError) as refused:
        open_master_key(server, from_environment)
    return str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        HEX,
        HEX.upper(),
        f"  {HEX}\n",
        base64.b64encode(KEY).decode(),
        base64.urlsafe_b64encode(KEY).decode(),
        base64.b64encode(KEY).decode().rstrip("="),
    ],
)
def test_a_key_is_written_in_hexadecimal_or_base64(text: str, tmp_path: Path):
    file = file_with(tmp_path / "key", text)

    assert open_master_key(ServerSettings(data=tmp_path), text) == KEY
    assert open_master_key(ServerSettings(data=tmp_path, master_key_file=str(file)), None) == KEY


def test_the_environment_beats_the_file_and_makes_none(tmp_path: Path):
    server = ServerSettings(data=tmp_path, master_key_file=str(tmp_path / "missing"))

    assert open_master_key(server, HEX) == KEY
    assert list(tmp_path.iterdir()) == []


def test_the_first_start_makes_a_file_that_nobody_else_can_read_and_later_starts_use_it(tmp_path: Path):
    server = ServerSettings(data=tmp_path / "data")
    assert find_master_key(server, None) is None

    key = open_master_key(server, None)

    assert len(key) == 32
    assert stat.S_IMODE((tmp_path / "data" / "master.key").stat().st_mode) == 0o600
    assert [file.name for file in server.data.iterdir()] == ["master.key"]
    assert open_master_key(server, None) == find_master_key(server, None) == key
    assert open_master_key(ServerSettings(data=tmp_path / "other"), None) != key


def test_a_start_that_died_while_it_made_the_key_is_made_up_for(tmp_path: Path):
    file_with(tmp_path / "master.new", "00")

    open_master_key(ServerSettings(data=tmp_path), None)

    assert [file.name for file in tmp_path.iterdir()] == ["master.key"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_is_open_to_others_is_refused_with_the_remedy(mode: int, tmp_path: Path):
    file = file_with(tmp_path / "master.key", HEX, mode)

    assert refusal(ServerSettings(data=tmp_path)) == (
        f"the master key file {file} is open to other users (mode {mode:o}): chmod 600 {file}"
    )


@pytest.mark.parametrize(
    "text", ["", "\n", HEX[:-1], HEX + "0", "g" * 64, base64.b64encode(KEY[1:]).decode(), "键" * 9]
)
def test_a_malformed_key_is_refused_and_never_shown(text: str, tmp_path: Path):
    file = file_with(tmp_path / "master.key", text)

    in_file, in_environment = refusal(ServerSettings(data=tmp_path)), refusal(ServerSettings(data=tmp_path), text)

    assert in_file == f"{file} holds no master key: 256 bits in hexadecimal (64 digits) or base64."
    assert in_environment.startswith("TOKENGATE_MASTER_KEY holds no master key")
    assert file.read_text() == text


def test_a_configured_file_that_is_missing_is_refused_and_not_made(tmp_path: Path):
    file = tmp_path / "elsewhere.key"

    assert f"{file} does not exist" in refusal(ServerSettings(data=tmp_path, master_key_file=str(file)))
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_read_or_made_is_told(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    file_with(tmp_path / "file", "")

    assert "cannot be read" in refusal(ServerSettings(master_key_file=str(tmp_path / "folder")))
    assert "cannot be made" in refusal(ServerSettings(data=tmp_path / "file" / "below"))
