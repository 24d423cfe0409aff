"""What went wrong between here and a backend, as sentences for the caller: they name the backend and the seconds,
never an address.
"""

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorSSLError,
    ClientHttpProxyError,
    ClientProxyConnectionError,
)

from tokengate.core.errors import UpstreamFailed, UpstreamTimeout
from tokengate.core.http import Timeouts
from tokengate.upstream.guard import AddressRefused


def unreachable(backend: str, failure: Exception) -> UpstreamFailed:
    """Return the failure of a connection that was never made."""
    match failure:
        case AddressRefused():
            why = str(failure)
        case _ if isinstance(failure.__cause__, AddressRefused):
            why = str(failure.__cause__)
        case ClientHttpProxyError():
            why = f"its proxy answered {failure.status}"
        case ClientProxyConnectionError():
            why = "its proxy could not be reached"
        case ClientConnectorDNSError():
            why = "its host name was not found"
        case ClientConnectorCertificateError():
            why = "its TLS certificate is not trusted"
        case ClientConnectorSSLError():
            why = "the TLS handshake failed"
        case _ if isinstance(failure.__cause__ or failure, ConnectionRefusedError):
            why = "connection refused"
        case _:
            why = "the connection failed"
    return UpstreamFailed(f"{backend} could not be reached: {why}.", kind="connect", backend=backend)


def no_answer(backend: str) -> UpstreamFailed:
    """Return the failure of a connection that closed before any byte of a reply."""
    return UpstreamFailed(f"{backend} closed the connection without an answer.", kind="cut", backend=backend)


def not_http(backend: str) -> UpstreamFailed:
    """Return the failure of a reply that is not HTTP, or is compressed in a way that cannot be read."""
    return UpstreamFailed(f"{backend} sent a reply that cannot be read.", kind="invalid", backend=backend)


def redirected(backend: str, status: int) -> UpstreamFailed:
    """Return the failure of a reply that points elsewhere: following it would carry the credential along."""
    return UpstreamFailed(
        f"{backend} points elsewhere (status {status}), which is not followed; its base_url needs to be corrected.",
        kind="invalid",
        backend=backend,
        upstream_status=status,
    )


def broken(backend: str) -> UpstreamFailed:
    """Return the failure of a body that ended before its end."""
    return UpstreamFailed(f"{backend} broke off in the middle of its answer.", kind="cut", backend=backend)


def too_large(backend: str, limit_bytes: int) -> UpstreamFailed:
    """Return the failure of a body that is longer than the reader's limit."""
    return UpstreamFailed(
        f"{backend} sent an answer of more than {limit_bytes} bytes.", kind="too_large", backend=backend
    )


def late(backend: str, stage: str, timeouts: Timeouts) -> UpstreamTimeout:
    """Return the failure of a deadline: `stage` is connect, first, between or total."""
    match stage:
        case "connect":
            message = f"{backend} accepted no connection within {timeouts.connect:g} s."
        case "first":
            message = f"{backend} sent no answer within {timeouts.first:g} s."
        case "between":
            message = f"{backend} fell silent for {timeouts.between:g} s in the middle of its answer."
        case _:
            message = f"{backend} did not finish its answer within {timeouts.total:g} s."
    return UpstreamTimeout(message, stage=stage, backend=backend)
