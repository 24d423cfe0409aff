"""How many processor threads a model gets whose configuration does not say."""

import os


def free_cores() -> int:
    """Return half of the cores.

    The threads of llama.cpp meet, spinning, hundreds of times for each token: one thread that shares its core with
    anything else, such as the gateway's own event loop, keeps all others waiting. On two cores that were busy
    otherwise, two threads wrote 4 tokens/s and one wrote 22 to 66.
    """
    return max(1, len(os.sched_getaffinity(0)) // 2)
