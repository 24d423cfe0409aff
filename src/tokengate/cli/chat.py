"""A conversation with a model through the running gateway, with the cost of each turn."""

import sys
from typing import Annotated

import typer

from tokengate.cli.client import Client, Message, local_url
from tokengate.cli.failures import CommandError
from tokengate.cli.options import Config
from tokengate.core.settings_file import load, secret


def chat(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model, as `tokengate models list` shows it.")],
    message: Annotated[str | None, typer.Argument(metavar="[MESSAGE]", help="Ask this and end.")] = None,
    key: Annotated[str | None, typer.Option(metavar="KEY", help="The API key (default: $TOKENGATE_API_KEY).")] = None,
    system: Annotated[str | None, typer.Option(metavar="TEXT", help="Instructions for the model.")] = None,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="The gateway (default: the one configured here).")
    ] = None,
    config: Config = None,
) -> None:
    """Talk to a model; each answer is streamed and followed by what it cost.

    Without a message it asks for one after the other, until end of input (Ctrl-D). Text piped in is one message.

    [dim]tokengate chat smollm2-135m-instruct "Name three colours."[/dim]
    [dim]cat notes.txt | tokengate chat qwen-plus --system "Summarise."[/dim]
    """
    secret_key = key or secret("TOKENGATE_API_KEY")
    if secret_key is None:
        raise CommandError("Give a key with --key, or in the environment as TOKENGATE_API_KEY")
    client = Client(url or local_url(load(config).server), secret_key)
    conversation = [Message("system", system)] if system else []
    if message is None and not sys.stdin.isatty():
        message = sys.stdin.read()
    if message is not None:
        _turn(client, model, conversation, message)
        return
    while (asked := _ask()) is not None:
        try:
            _turn(client, model, conversation, asked)
        except CommandError as error:
            print(f"tokengate: {error}", file=sys.stderr)


def _ask() -> str | None:
    """Return the next message; None at the end of the input."""
    while True:
        try:
            text = input("> ").strip()
        except (EOFError, KeyboardInterrupt):
            print()
            return None
        if text:
            return text


def _turn(client: Client, model: str, conversation: list[Message], asked: str) -> None:
    """Ask, print the answer as it comes, and remember both when it came whole."""
    question = Message("user", asked)
    answer: list[str] = []
    try:
        for piece in client.chat(model, [*conversation, question]):
            print(piece, end="", flush=True)
            answer.append(piece)
    finally:
        print()
    conversation += [question, Message("assistant", "".join(answer))]
    cost = client.cost_of(client.last_call)
    print(
        f"[{cost.input_tokens} + {cost.output_tokens} tokens, {cost.usage_source or 'not counted'}: ¥{cost.cost}]",
        file=sys.stderr,
    )
