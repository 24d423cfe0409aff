"""What one request asks of llama.cpp: one generation per choice, and how its reply is to be written."""

from typing import Any, Literal

from msgspec import Struct, json

from tokengate.engines.forced import Forced
from tokengate.engines.sampling import Body, seed_of
from tokengate.formats.openai.refusal import refusal_of

_encode = json.Encoder().encode


class Plan(Struct, frozen=True, eq=False):
    """A request that was read and checked."""

    kind: Literal["chat", "text"]
    asked: Body
    prompts: tuple[dict[str, Any], ...]  # llama.cpp's fields, one set per prompt, without the seed
    choices: int
    json_output: bool = False
    forced: Forced | None = None
    top_logprobs: int | None = None  # None: no log probabilities asked for
    echo: tuple[str, ...] = ()  # per prompt, the text that the reply begins with

    @property
    def stream(self) -> bool:
        return self.asked.stream is True

    def prompt_of(self, choice: int) -> int:
        """Return which prompt a choice answers."""
        return choice * len(self.prompts) // self.choices

    def body(self, choice: int, attempt: int) -> bytes:
        """Return llama.cpp's request for one choice; a later attempt differs in its seed.

        Raises BadRequest for what is nested too deeply to be written.
        """
        fields = self.prompts[self.prompt_of(choice)]
        seed = seed_of(self.asked, choice, attempt)
        try:
            return _encode(fields if seed is None else fields | {"seed": seed})
        except RecursionError as error:
            raise refusal_of(error) from None
