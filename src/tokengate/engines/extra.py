"""Whether a model can be used whose package and weights are both optional, in words for whoever asks."""

import asyncio
import importlib.util
from pathlib import Path

from tokengate.engines import weights
from tokengate.engines.state import LOADING, READY, EngineState

_OPENMP = "libgomp"
_INSTALL_OPENMP = " Install the system's OpenMP library; Debian and Ubuntu call it libgomp1."


def found(package: str, project: str, data: Path, wanted: weights.WheelWeights) -> EngineState:
    """Look whether the package can be imported, which is not done, and whether the weights are there."""
    if importlib.util.find_spec(package) is None:
        return EngineState("missing", _not_installed(project, "speech"))
    absent = weights.missing(data, wanted)
    return EngineState("missing", str(absent)) if absent else LOADING


def unusable(project: str, error: ImportError) -> str:
    """Say why a package of the `local` extra cannot be imported: it is absent, or what it needs of the system is."""
    if isinstance(error, ModuleNotFoundError):
        return _not_installed(project, "local")
    remedy = _INSTALL_OPENMP if _OPENMP in str(error) else ""
    return f"{project} is installed and cannot be loaded: {error}.{remedy}"


async def checked(data: Path, wanted: weights.WheelWeights) -> EngineState:
    """Read the weights that were found, and compare their digests."""
    try:
        await asyncio.to_thread(weights.verify, data, wanted)
    except weights.WeightsError as error:
        return EngineState("failed", str(error))
    return READY


def _not_installed(project: str, extra: str) -> str:
    return f"{project} is not installed. Run `pip install 'tokengate[{extra}]'`."
