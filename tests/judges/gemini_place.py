"""Where Google's SDKs are pointed: at the simulated vendor, or at a gateway before it."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.gateway import GatewayProcess
from tests.hosted import sells
from tests.simulators.gemini_upstream import KEY, MODELS, GeminiUpstream

PLACES = ("vendor", "gateway")
_MODELS = {name: name for name in (*MODELS, "error-400", "error-429", "error-503")}
_MODELS["text-embedding-3-small"] = "gemini-embedding-001"


@contextmanager
def open_place(name: str, folder: Path) -> Generator[tuple[str, str]]:
    """Open one of the places; yield its address and a key for it."""
    with GeminiUpstream() as google:
        if name == "vendor":
            yield google.base_url, KEY
            return
        names = ", ".join(f'"{ours}" = "{theirs}"' for ours, theirs in _MODELS.items())
        config = f'[[upstream]]\nname = "g"\nprovider = "google"\nbase_url = "{google.base_url}"\n'
        config += f'api_key = "{KEY}"\nmodels = {{ {names} }}\n' + "".join(map(_sold, _MODELS))
        with GatewayProcess(folder, config) as gateway:
            yield gateway.url, gateway.create_key("1000")


def _sold(model: str) -> str:
    kind = "embedding" if "embedding" in model else "chat"
    return sells(model, input="0.001", output="0.002", max_output=65_536, kind=kind, context=1_048_576)
