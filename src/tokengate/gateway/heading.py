"""How the gateway heads an answer of its own making."""

from tokengate.core.wire import Heading
from tokengate.gateway.call import Call


def heading_of(call: Call) -> Heading:
    """Return the heading of a call's answer."""
    return Heading(call.id.partition("_")[2], call.asked.model, call.now_ms // 1000)
