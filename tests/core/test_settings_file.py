from collections.abc import Callable
from pathlib import Path

import pytest

from tokengate.core.settings import CallLimits, ResultSettings, Settings, UpstreamSettings
from tokengate.core.settings_file import SettingsError, credential, load, secret, storage_keys

Write = Callable[[str], Path]

EVERYTHING = """
[server]
host = "0.0.0.0"
port = 9000
data = "/srv/tokengate"
cors = ["https://example.com"]

[currency]
usd = "7.2"

[[upstream]]
name = "vllm"
base_url = "http://gpu-1:8000/v1"
api_key_env = "VLLM_KEY"
models = { "qwen3" = "Qwen/Qwen3-8B" }
timeouts = { connect = 2, first = 30 }
headers = { "x-team" = "search" }

[[upstream]]
name = "spare"
base_url = "http://gpu-2:8000/v1"
models = ["qwen3"]
weight = 3

[[model]]
id = "qwen3"
context = 32768
price = { input = "0.0025", output = "0.00875", per = "ktok" }
limits = { concurrency = 2, spend_per_day = "1.5" }

[engine.chat]
enabled = false

[limits]
requests_per_minute = 60
spend_per_day = "5"
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        file = tmp_path / "tokengate.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return write


def message_of(path: Path, environ: dict[str, str] | None = None, **overrides: object) -> str:
    with pytest.raises(SettingsError) as caught:
        load(path, environ or {}, overrides)
    return str(caught.value)


def test_nothing_configured_gives_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    assert load(None, {}) == Settings()


def test_every_table_is_read(write: Write):
    settings = load(write(EVERYTHING), {})

    assert settings.server.port == 9000
    assert settings.server.data == Path("/srv/tokengate")
    assert settings.currency.usd == "7.2"
    assert settings.upstream[0].models == {"qwen3": "Qwen/Qwen3-8B"}
    assert settings.upstream[0].timeouts.connect == 2
    assert settings.upstream[0].timeouts.total == 900
    assert settings.upstream[1].models == ["qwen3"]
    assert settings.model[0].price is not None
    assert settings.model[0].price.output == "0.00875"
    assert settings.model[0].limits == CallLimits(concurrency=2, spend_per_day="1.5")
    assert not settings.engine.chat.enabled
    assert settings.engine.embedding.enabled
    assert settings.limits.spend_per_day == "5"


def test_the_keys_of_a_bucket_come_from_the_environment(write: Write):
    bucket = ResultSettings(url="s3://bucket", secret_key_env="A_SECRET")

    assert storage_keys(bucket, {"AWS_ACCESS_KEY_ID": "id", "A_SECRET": "secret"}) == ("id", "secret")
    assert storage_keys(ResultSettings(), {"AWS_ACCESS_KEY_ID": "id"}) == ("", "")
    with pytest.raises(SettingsError, match="needs A_SECRET, which the environment does not set"):
        storage_keys(bucket, {"AWS_ACCESS_KEY_ID": "id", "A_SECRET": " "})


def test_the_file_in_the_working_folder_is_found(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write("[server]\nport = 9001\n")
    monkeypatch.chdir(tmp_path)

    assert load(None, {}).server.port == 9001


def test_the_environment_can_name_the_file(write: Write):
    file = write("[server]\nport = 9001\n")

    assert load(None, {"TOKENGATE_CONFIG": str(file)}).server.port == 9001


def test_a_flag_beats_the_environment_which_beats_the_file(write: Write):
    file = write('[server]\nport = 9001\nhost = "a"\nlog_level = "debug"\n')
    environ = {"TOKENGATE_PORT": "9002", "TOKENGATE_HOST": "b", "TOKENGATE_DATABASE_URL": "postgresql://db/x"}

    server = load(file, environ, {"port": 9003, "host": None}).server

    assert (server.port, server.host, server.log_level) == (9003, "b", "debug")
    assert server.database == "postgresql://db/x"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[server]\n\nprot = 1\n", 3, ["server.prot is not a setting", "Did you mean 'port'?", "log_level"]),
        ("[sever]\n", 1, ["sever is not a setting", "Did you mean 'server'?", "upstream"]),
        ('[server]\nport = "x"\n', 2, ["server.port must be an integer from 1 to 65535."]),
        ("[server]\nport = 0\n", 2, ["server.port must be an integer from 1 to 65535."]),
        ("[server]\ndata = 3\n", 2, ["server.data must be a path in quotes."]),
        ("[server]\nlog_level = 'loud'\n", 2, ['one of "debug", "info", "warning", "error"']),
        ("[server]\nbody_timeout_s = 0\n", 2, ["server.body_timeout_s must be a number above 0"]),
        ("[currency]\nusd = 7.1\n", 2, ['currency.usd must be a decimal number in quotes, such as "0.0025".']),
        ("[limits]\n# none\nconcurrency = 'two'\n", 3, ["limits.concurrency must be an integer of at least 1."]),
        (
            "[[model]]\nid = 'm'\nlimits = { default_output_cap = 1 }\n",
            3,
            ["model.limits.default_output_cap is not a setting", "concurrency, spend_per_day."],
        ),
        ("[limits]\nspend_per_day = 'x'\n", 2, ["limits.spend_per_day must be a decimal number in quotes"]),
        ("[[oidc]]\nname = 'a'\n", 1, ["oidc.issuer is missing", "https://api.example.com/v1"]),
        ("[[upstream]]\nname = 'a'\nbase_url = 'a.b'\n", 3, ["upstream.base_url must be an address"]),
        ("[[upstream]]\nname = ''\nbase_url = 'http://a'\n", 2, ["upstream.name must be a text in quotes, not empty."]),
        (
            "[[upstream]]\nname = 'a'\nbase_url = 'http://a'\n[[upstream]]\nname = 'b'\nwieght = 1\n",
            6,
            ["Did you mean 'weight'?"],
        ),
        (
            "[[upstream]]\nname = 'a'\nbase_url = 'http://a'\n\n[upstream.timeouts]\nfirst = '1'\n",
            6,
            ["upstream.timeouts.first must be a number above 0."],
        ),
        ("[[upstream]]\nname = 'a'\nbase_url = 'http://a'\nmodels = 1\n", 4, ["models must be a list or a table."]),
        ("[[upstream]]\nname = 'a'\nbase_url = 'http://a'\nmodels = { x = 1 }\n", 4, ["upstream.models must be"]),
        ("[[model]]\nid = 'm'\nprice = { input = 1.5 }\n", 3, ["model.price.input must be a decimal number"]),
        ("[[model]]\nid = 'm'\n[model.price]\nimput = '1'\n", 4, ["Did you mean 'input'?"]),
        ("[[model]]\nid = 'm'\nkind = 'chatty'\n", 3, ['model.kind must be one of "chat"']),
        ("[engine.chat]\nparallel = 0\n", 2, ["engine.chat.parallel must be an integer of at least 1."]),
        ("engine.chat.parallel = 0\n", 1, ["engine.chat.parallel must be"]),
        ("model = 1\n", 1, ["model must be a list."]),
        ("[[model]]\nid = 'm'\n[[model]]\nid = 'm'\n", 4, ["model.id 'm' is used twice"]),
        (
            "[[upstream]]\nname = 'a'\nbase_url = 'http://a'\napi_key = 'x'\napi_key_env = 'X'\n",
            5,
            ["upstream.api_key or upstream.api_key_env, not both"],
        ),
        ("[results]\nurl = 'gs://b'\n", 2, ["results.url must be an address in quotes", "oss://bucket/prefix"]),
        ("[results]\nurl = 's3://b/../c?d'\n", 2, ["results.url must be an address in quotes"]),
        ("[results]\n\nurl = 'oss://bucket'\n", 3, ["results.region is missing", "cn-hangzhou"]),
        ("[results]\nkeep_days = -1\n", 2, ["results.keep_days must be an integer from 0 to 36500."]),
        ("[results]\nkeep = 1\n", 2, ["results.keep is not a setting", "Did you mean 'keep_days'?"]),
        ("[server]\nport = \n", 2, ["this is not TOML: invalid value."]),
        ("[server]\nhost = 'a'\nhost = 'b'\n", 3, ["this is not TOML"]),
    ],
)
def test_a_mistake_names_file_line_key_and_what_is_allowed(write: Write, text: str, line: int, words: list[str]):
    file = write(text)

    message = message_of(file)

    assert message.startswith(f"{file}:{line}: ")
    for word in words:
        assert word in message


def test_two_upstreams_of_one_name_are_refused_at_the_second(write: Write):
    one = "[[upstream]]\nname = 'a'\nbase_url = 'http://a'\n"

    message = message_of(write(one + one))

    assert ":5: upstream.name 'a' is used twice" in message


def test_a_bad_variable_is_named_instead_of_a_line(write: Write):
    message = message_of(write(""), {"TOKENGATE_PORT": "many"})

    assert message == "TOKENGATE_PORT: server.port must be an integer from 1 to 65535."


def test_a_bad_flag_is_named_instead_of_a_line(write: Write):
    message = message_of(write(""), {"TOKENGATE_PORT": "1"}, port=70000)

    assert message == "--port: server.port must be an integer from 1 to 65535."


def test_a_named_file_that_does_not_exist_is_an_error(tmp_path: Path):
    assert message_of(tmp_path / "none.toml").endswith("none.toml: there is no such file.")


def test_a_file_that_is_not_utf8_is_an_error(tmp_path: Path):
    file = tmp_path / "tokengate.toml"
    file.write_bytes(b"[server]\nhost = '\xff'\n")

    assert "the file is not UTF-8" in message_of(file)


def test_a_key_is_taken_from_the_file_or_the_named_variable():
    written = UpstreamSettings(name="a", base_url="http://a", api_key="in-file")
    named = UpstreamSettings(name="a", base_url="http://a", api_key_env="A_KEY")
    neither = UpstreamSettings(name="a", base_url="http://a")

    assert credential(written, {}) == "in-file"
    assert credential(named, {"A_KEY": " in-environment\n"}) == "in-environment"
    assert credential(neither, {}) == ""


def test_a_named_variable_that_is_not_set_is_an_error_that_names_both():
    named = UpstreamSettings(name="vllm", base_url="http://a", api_key_env="A_KEY")

    with pytest.raises(SettingsError, match="'vllm' takes its key from A_KEY, which the environment does not set"):
        credential(named, {"A_KEY": ""})


def test_an_empty_variable_is_no_secret():
    assert secret("X", {"X": "  "}) is None
    assert secret("X", {}) is None
    assert secret("X", {"X": "v"}) == "v"
