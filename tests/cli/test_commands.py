import socket
import sqlite3
from importlib.metadata import version
from pathlib import Path
from typing import cast

import pytest

from tests.cli.conftest import Run

Rows = list[dict[str, object]]


def rows_of(run: Run, *arguments: str) -> Rows:
    ran = run(*arguments, "--json")
    assert ran.status == 0, ran.err
    return cast(Rows, ran.json)


def created(run: Run, *arguments: str) -> dict[str, str]:
    ran = run("keys", "create", *arguments, "--json")
    assert ran.status == 0, ran.err
    return cast("dict[str, str]", ran.json)


def test_a_key_with_a_balance_opens_its_own_wallet(run: Run):
    key = created(run, "--name", "alice", "--balance", "12.34")

    (wallet,) = rows_of(run, "wallet", "show")

    assert set(key) == {"id", "key", "wallet"}
    assert key["key"].startswith("sk-")
    assert (wallet["id"], wallet["name"], wallet["balance"]) == (key["wallet"], "alice", "12.34")


def test_a_key_can_share_a_wallet(run: Run):
    first = created(run, "--name", "first", "--balance", "10")

    second = created(run, "--name", "second", "--wallet", first["wallet"])

    assert second["wallet"] == first["wallet"]
    assert len(rows_of(run, "wallet", "show")) == 1


def test_a_key_without_a_balance_has_an_empty_wallet(run: Run):
    created(run, "--name", "alice")

    assert [wallet["balance"] for wallet in rows_of(run, "wallet", "show")] == ["0"]


def test_a_key_on_an_unknown_wallet_is_refused_and_opens_nothing(run: Run):
    ran = run("keys", "create", "--name", "alice", "--wallet", "wal_nobody")

    assert (ran.status, ran.out) == (1, "")
    assert ran.err == "tokengate: There is no wallet 'wal_nobody'.\n"
    assert rows_of(run, "keys", "list") == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--name", "a", "--balance", "-1"), "not above zero"),
        (("--name", "a", "--balance", "0"), "not above zero"),
        (("--name", "a", "--balance", "ten"), "not an amount in yuan"),
        (("--name", "a", "--balance", "0.0000000001"), "more than nine decimals"),
        (("--name", "  "), "must not be empty"),
        ((), "Missing option '--name'"),
        (("--name", "a", "--balance", "1", "--wallet", "wal_x"), "tokengate wallet topup"),
    ],
)
def test_a_command_line_that_makes_no_sense_ends_with_status_2(run: Run, arguments: tuple[str, ...], words: str):
    ran = run("keys", "create", *arguments)

    assert (ran.status, ran.out) == (2, "")
    assert words in " ".join(ran.err.replace("│", " ").split())


def test_the_list_of_keys_never_shows_a_whole_key(run: Run):
    key = created(run, "--name", "alice")

    shown = run("keys", "list")
    (row,) = rows_of(run, "keys", "list")

    assert key["key"] not in shown.out
    assert row["key"] == f"{key['key'][:8]}…{key['key'][-4:]}"
    assert (row["id"], row["name"], row["status"]) == (key["id"], "alice", "active")


def test_a_key_is_disabled_and_enabled(run: Run):
    key = created(run, "--name", "alice")["id"]

    run("keys", "disable", key)
    disabled = rows_of(run, "keys", "list")
    run("keys", "enable", key)
    enabled = rows_of(run, "keys", "list")

    assert (disabled[0]["status"], enabled[0]["status"]) == ("disabled", "active")


def test_a_rotated_key_has_a_new_text_and_the_same_id(run: Run):
    key = created(run, "--name", "alice")

    ran = run("keys", "rotate", key["id"], "--json")

    rotated = cast("dict[str, str]", ran.json)
    assert (rotated["id"], rotated["wallet"]) == (key["id"], key["wallet"])
    assert rotated["key"] != key["key"]


def test_limits_are_set_one_by_one_and_removed(run: Run):
    key = created(run, "--name", "alice")["id"]

    run("keys", "limit", key, "--requests-per-minute", "60", "--spend-per-day", "2.5")
    run("keys", "limit", key, "--concurrency", "3", "--requests-per-minute", "none")
    (row,) = rows_of(run, "keys", "list")

    assert (row["requests_per_minute"], row["concurrency"], row["spend_per_day"]) == (None, 3, "2.5")


def test_a_limit_that_the_database_cannot_hold_is_refused(run: Run):
    key = created(run, "--name", "alice")["id"]

    ran = run("keys", "limit", key, "--concurrency", "99999999999")

    assert (ran.status, ran.out) == (1, "")
    assert "concurrency must be a whole number from 1" in ran.err


@pytest.mark.parametrize("command", ["disable", "enable", "rotate", "limit"])
def test_an_unknown_key_is_one_sentence(run: Run, command: str):
    created(run, "--name", "alice")

    ran = run("keys", command, "key_nobody")

    assert (ran.status, ran.err) == (1, "tokengate: There is no key 'key_nobody'.\n")


def test_a_wallet_is_topped_up_and_corrected_with_an_entry_each(run: Run):
    wallet = created(run, "--name", "alice", "--balance", "10")["wallet"]

    run("wallet", "topup", wallet, "5", "--note", "invoice 7")
    ran = run("wallet", "correct", wallet, "-3.5", "--note", "double top-up", "--json")
    shown = run("wallet", "show", wallet, "--json")

    assert cast("dict[str, str]", ran.json)["balance"] == "11.5"
    entries = cast("dict[str, list[dict[str, str]]]", shown.json)["entries"]
    assert [(entry["kind"], entry["amount"], entry["note"]) for entry in entries] == [
        ("correct", "-3.5", "double top-up"),
        ("top_up", "5", "invoice 7"),
        ("top_up", "10", "opened with key alice"),
    ]
    assert run("ledger", "verify").status == 0


def test_more_than_a_wallet_has_cannot_be_taken_out(run: Run):
    wallet = created(run, "--name", "alice", "--balance", "10")["wallet"]

    ran = run("wallet", "correct", wallet, "-10.01", "--note", "too much")

    assert (ran.status, ran.out) == (1, "")
    assert "¥10.01 cannot be taken out: the wallet has ¥10" in ran.err
    assert rows_of(run, "wallet", "show")[0]["balance"] == "10"


def test_a_correction_needs_a_reason(run: Run):
    wallet = created(run, "--name", "alice", "--balance", "10")["wallet"]

    assert run("wallet", "correct", wallet, "-1").status == 2
    assert run("wallet", "correct", wallet, "-1", "--note", " ").status == 2


def test_verify_names_a_difference_and_ends_with_status_1(run: Run, tmp_path: Path):
    wallet = created(run, "--name", "alice", "--balance", "10")["wallet"]
    with sqlite3.connect(tmp_path / "data" / "tokengate.db") as database:
        database.execute("UPDATE wallets SET balance_nano = balance_nano + 1")
    database.close()

    ran = run("ledger", "verify")

    assert ran.status == 1
    assert wallet in ran.out
    assert "differ by ¥-0.000000001" in ran.out
    assert "1 difference." in ran.out


@pytest.mark.parametrize(
    "command",
    [("keys", "list"), ("wallet", "show"), ("usage",), ("ledger", "verify"), ("keys", "disable", "key_x")],
)
def test_a_question_in_the_wrong_folder_makes_no_platform_there(run: Run, tmp_path: Path, command: tuple[str, ...]):
    ran = run(*command)

    assert (ran.status, ran.out) == (1, "")
    assert "There is no platform in data" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_the_data_folder_can_be_named(run: Run, tmp_path: Path):
    created(run, "--name", "alice", "--data", str(tmp_path / "elsewhere"))

    assert len(rows_of(run, "keys", "list", "--data", str(tmp_path / "elsewhere"))) == 1
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("by", ["model", "key", "day"])
def test_usage_of_a_new_platform_is_empty(run: Run, by: str):
    created(run, "--name", "alice")

    assert rows_of(run, "usage", "--by", by) == []
    assert run("usage", "--by", by).out == "No call has been made yet.\n"


def test_a_day_that_is_none_is_refused(run: Run):
    assert run("usage", "--from", "2026-13-01").status == 2


def test_a_mistake_in_the_configuration_is_one_sentence(run: Run, tmp_path: Path):
    (tmp_path / "tokengate.toml").write_text("[server]\nprot = 1\n")

    ran = run("keys", "list")

    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("tokengate: tokengate.toml:2: server.prot is not a setting.")
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://nobody@127.0.0.1:1/none", "the database cannot be opened: "),
        ("somewhere", "must begin with sqlite:/// or postgresql://"),
        ("mysql://somewhere/x", "'mysql' is not a database that is supported"),
        ("sqlite://", "the ledger needs a file"),
        ("sqlite:///tokengate.toml", "the database cannot be opened: file is not a database"),
    ],
)
def test_a_database_that_cannot_be_opened_is_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, words: str
):
    (tmp_path / "tokengate.toml").write_text("# no database, but a file of some length\n" * 100)
    monkeypatch.setenv("TOKENGATE_DATABASE_URL", url)

    ran = run("keys", "list")

    assert (ran.status, ran.out) == (1, "")
    assert ran.err.startswith("tokengate: ")
    assert words in ran.err
    assert ran.err.count("\n") == 1


def test_models_are_listed_with_prices(run: Run):
    rows = rows_of(run, "models", "list", "--kind", "embedding")

    assert {row["kind"] for row in rows} == {"embedding"}
    (local,) = (row for row in rows if row["id"] == "wordllama-256")
    assert (local["input"], local["output"]) == ("0.1", None)


def test_a_model_is_shown_by_any_of_its_names(run: Run):
    shown = run("models", "show", "SmolLM2", "--json")

    model = cast("dict[str, object]", shown.json)
    assert model["id"] == "smollm2-135m-instruct"
    assert {"when": "", "word": "output", "yuan": "0.2 per million tokens"} in cast(Rows, model["price"])
    assert "smollm2-135m-instruct" in run("models", "show", "smollm2").out


def test_an_unknown_model_is_one_sentence(run: Run):
    ran = run("models", "show", "gpt-0")

    assert (ran.status, ran.out) == (1, "")
    assert "There is no model 'gpt-0' in the catalogue" in ran.err


def test_config_check_prints_each_fallback_and_each_unpriced_model(run: Run, tmp_path: Path):
    (tmp_path / "tokengate.toml").write_text(
        '[[model]]\nid = "ours"\nprice = { input = "1", output = "2" }\n[[model]]\nid = "gratis"\n'
    )

    ran = run("config", "check")

    assert ran.status == 0
    assert "ours: cache_read = input; " in ran.out
    assert "cache_write_5m = 1.25 x input" in ran.out
    assert "gratis: no price is set" in ran.out
    assert "Problems: none" in ran.out


def test_config_check_ends_with_status_1_when_calls_would_fail(run: Run, tmp_path: Path):
    (tmp_path / "tokengate.toml").write_text(
        '[[upstream]]\nname = "a"\nbase_url = "http://a/v1"\napi_key_env = "A_KEY"\nmodels = ["nobody-knows"]\n'
        '[[upstream]]\nname = "b"\nbase_url = "http://b/v1"\nprovider = "nobody"\n'
        '[[upstream]]\nname = "c"\nbase_url = "http://c/v1"\n'
        '[[upstream]]\nname = "d"\nprovider = "vllm"\nmodels = ["qwen-plus"]\n'
        '[results]\nurl = "s3://bucket"\naccess_key_env = "NO_SUCH_KEY"\n'
    )

    ran = run("config", "check", "--json")

    problems = [row["message"] for row in cast(Rows, ran.json) if row["kind"] == "problem"]
    assert ran.status == 1
    assert "A_KEY, which the environment does not set" in str(problems[0])
    assert "'nobody-knows', which is in no catalogue" in str(problems[1])
    assert "there is no provider 'nobody'" in str(problems[2])
    assert problems[3] == "it offers no model; name them in `models`."
    assert problems[4] == "base_url is missing: vllm has no address of its own."
    assert problems[5] == "results.url 's3://bucket' needs NO_SUCH_KEY, which the environment does not set."


def test_a_master_key_that_is_wrong_is_told_before_anything_is_made(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "tokengate.toml").write_text('[server]\nmaster_key_file = "elsewhere.key"\n')

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    missing = run("serve", "--port", port)
    monkeypatch.setenv("TOKENGATE_MASTER_KEY", "correct horse")
    malformed = run("serve", "--port", port)
    checked = run("config", "check")

    assert missing.err.startswith("tokengate: the master key file elsewhere.key does not exist")
    assert malformed.err == (
        "tokengate: TOKENGATE_MASTER_KEY holds no master key: 256 bits in hexadecimal (64 digits) or base64.\n"
    )
    assert "server: TOKENGATE_MASTER_KEY holds no master key" in checked.out
    assert [ran.status for ran in (missing, malformed, checked)] == [1, 1, 1]
    assert [file.name for file in tmp_path.iterdir()] == ["tokengate.toml"]


def test_more_than_one_worker_is_refused_with_the_reason(run: Run, tmp_path: Path):
    ran = run("serve", "--workers", "2")

    assert ran.status == 2
    assert "each with its own --port" in " ".join(ran.err.replace("│", " ").split())
    assert list(tmp_path.iterdir()) == []


def test_serve_refuses_a_port_that_answers(run: Run, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = run("serve", "--port", str(taken.getsockname()[1]))

    assert ran.status == 1
    assert "Something already answers on 127.0.0.1" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_without_a_command_the_help_is_shown(run: Run):
    shown = run("--help")

    assert shown.status == 0
    for command in ("serve", "keys", "wallet", "models", "upstreams", "usage", "chat", "ledger", "config"):
        assert command in shown.out


def test_the_version_is_shown(run: Run):
    ran = run("--version")

    assert (ran.status, ran.out) == (0, f"tokengate {version('tokengate')}\n")
