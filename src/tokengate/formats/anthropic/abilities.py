"""What a model behind this format can do: vendors' models differ, and a request that names what one lacks is refused.

Plain values are those of a model about which nothing is known; `providers/` says them by model.
"""

from msgspec import Struct


class Abilities(Struct, frozen=True, kw_only=True):
    """What one model takes."""

    cap: int = 4096  # tokens of output when neither the caller nor the catalogue names a number: it cannot be left out
    adaptive: bool = False  # thinking of a depth that the model chooses
    budget: bool = True  # thinking with a budget of tokens
    efforts: tuple[str, ...] = ()  # of output_config.effort, from the least
    must_think: bool = False  # thinking cannot be turned off
    sampling: bool = True  # temperature, top_p, top_k
    temperature_and_top_p: bool = True  # both at once
    json_schema: bool = True  # answers and arguments that must fit one
    system_turns: bool = False  # instructions in the middle of the conversation


PLAIN = Abilities()
