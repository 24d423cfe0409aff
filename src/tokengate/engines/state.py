"""Whether an engine can answer, and why not, in words for the readiness page and for callers."""

from typing import Literal

from msgspec import Struct

from tokengate.core.errors import Unavailable


class EngineState(Struct, frozen=True):
    """`missing`: the weights are not there. `failed`: they are, and cannot be used. The sentence says what to do."""

    name: Literal["missing", "loading", "ready", "failed"]
    sentence: str


LOADING = EngineState("loading", "It is being loaded.")
READY = EngineState("ready", "It is ready.")
STOPPED = EngineState("failed", "It was stopped.")

_RETRY_AFTER_S = {"loading": 2.0, "missing": 30.0, "failed": 30.0}


def check_ready(model: str, state: EngineState) -> None:
    """Raise Unavailable with the state's sentence unless the engine can answer."""
    if state.name == "ready":
        return
    raise Unavailable(
        f"The local model '{model}' cannot answer now. {state.sentence}",
        retry_after_s=_RETRY_AFTER_S[state.name],
        code=f"model_{state.name}",
    )
