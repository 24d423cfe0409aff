"""Everything that can go wrong on purpose, as one tree. A class owns its status, code and sentence.

    GatewayError
    |- BadRequest 400               the caller's body or parameters; `param` names the culprit
    |  |- Unsupported 400           a parameter that the chosen backend cannot express
    |- BadKey 401
    |- NotSignedIn 401              the console: nobody is signed in, or with a wrong password
    |- InsufficientBalance 402      names needed and available yuan
    |- BudgetExhausted 402          a key has spent what it may in its period, or too little of it is left
    |- Forbidden 403
    |- NotFound 404
    |  |- ModelNotFound 404
    |- MethodNotAllowed 405
    |- BodyTimeout 408
    |- Conflict 409                 the same idempotency key is still running; what exists already, or must stay
    |- PreconditionFailed 412       the file is no longer the one that the caller has a part of
    |- BodyTooLarge 413
    |- UnsupportedMediaType 415
    |- BadRange 416                 the part of a file that is asked for lies behind its end
    |- KeyReused 422                the same idempotency key with another body
    |- RateLimited 429
    |- ClientGone 499               nobody reads this one; it is recorded
    |- UpstreamFailed 502           the backend failed; `kind` says how, `status` may be passed on
    |- Unavailable 503              no backend can take the call now
    |- UpstreamTimeout 504

A 500 is a defect and is not in this tree. `web/errors.py` writes these in the shape that the caller's SDK parses.
"""

from datetime import UTC, datetime

from tokengate.core.money import write_yuan


class GatewayError(Exception):
    """An expected failure with a status and a sentence for the caller."""

    status = 500
    type = "server_error"
    code: str | None = None

    def __init__(self, message: str, *, param: str | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.retry_after_s = retry_after_s


class BadRequest(GatewayError):
    status = 400
    type = "invalid_request_error"

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message, param=param)
        self.code = code


class Unsupported(BadRequest):
    """A parameter changes the answer's meaning and the chosen backend cannot express it."""

    def __init__(self, backend: str, param: str, message: str | None = None) -> None:
        super().__init__(
            message or f"'{param}' is not supported by {backend}.", param=param, code="unsupported_parameter"
        )


class BadKey(GatewayError):
    status = 401
    type = "invalid_request_error"
    code = "invalid_api_key"

    def __init__(self, message: str = "Incorrect API key provided. ") -> None:
        super().__init__(message)


class NotSignedIn(GatewayError):
    status = 401
    type = "authentication_error"
    code = "not_signed_in"

    def __init__(self, message: str = "Sign in first.", *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class InsufficientBalance(GatewayError):
    status = 402
    type = "insufficient_balance"
    code = "insufficient_balance"

    def __init__(self, *, needed_nano: int, available_nano: int, instead: str = "") -> None:
        """`instead` is what the caller can ask for that costs less, such as "lower max_tokens"."""
        remedy = f"Top up the wallet, or {instead}." if instead else "Top up the wallet."
        super().__init__(
            f"Insufficient balance: this call needs up to ¥{write_yuan(needed_nano)} "
            f"and ¥{write_yuan(max(available_nano, 0))} is available. {remedy}"
        )
        self.needed_nano = needed_nano
        self.available_nano = available_nano


class BudgetExhausted(GatewayError):
    status = 402
    type = "insufficient_balance"
    code = "budget_exhausted"

    def __init__(
        self,
        budget_nano: int,
        period: str,
        ends_s: int | None,
        *,
        needed_nano: int | None = None,
        available_nano: int = 0,
        instead: str = "",
    ) -> None:
        """Without `needed_nano` all of it is spent; `instead` is as in InsufficientBalance."""
        budget = f"budget of ¥{write_yuan(budget_nano)}"
        if ends_s is not None:
            begins = datetime.fromtimestamp(ends_s, UTC)
            budget = f"{budget} per {period}. It begins anew at {begins:%Y-%m-%d %H:%M} UTC"
        if needed_nano is None:
            super().__init__(f"This key has spent its {budget}.")
            return
        remedy = f" Raise it, or {instead}." if instead else ""
        super().__init__(
            f"This call needs up to ¥{write_yuan(needed_nano)} "
            f"and ¥{write_yuan(available_nano)} is available of this key's {budget}.{remedy}"
        )


class Forbidden(GatewayError):
    status = 403
    type = "permission_error"
    code = "forbidden"

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message, param=param)
        if code is not None:
            self.code = code


class NotFound(GatewayError):
    status = 404
    type = "invalid_request_error"
    code = "not_found"

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message, param=param)
        if code is not None:
            self.code = code


class ModelNotFound(NotFound):
    code = "model_not_found"

    def __init__(self, model: str, message: str | None = None) -> None:
        unknown = f"The model '{model}' does not exist or you do not have access to it."
        super().__init__(message or unknown, param="model")


class MethodNotAllowed(GatewayError):
    status = 405
    type = "invalid_request_error"
    code = "method_not_allowed"

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"Method {method} is not allowed here; use {allowed}.")
        self.allowed = allowed


class BodyTimeout(GatewayError):
    status = 408
    type = "invalid_request_error"
    code = "request_timeout"


class Conflict(GatewayError):
    status = 409
    type = "invalid_request_error"
    code = "idempotency_key_in_use"

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message, param=param, retry_after_s=retry_after_s)
        if code is not None:
            self.code = code


class PreconditionFailed(GatewayError):
    status = 412
    type = "invalid_request_error"
    code = "precondition_failed"

    def __init__(self) -> None:
        super().__init__("The file is not the one that If-Match names; get it from its beginning.", param="If-Match")


class BodyTooLarge(GatewayError):
    status = 413
    type = "invalid_request_error"
    code = "request_too_large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"The request body is larger than {limit_bytes} bytes, the limit of this endpoint.")


class UnsupportedMediaType(GatewayError):
    status = 415
    type = "invalid_request_error"
    code = "unsupported_media_type"

    def __init__(self, got: str, *, wanted: str = "application/json") -> None:
        super().__init__(f"Content-Type must be {wanted}, not {got[:100]!r}.")


class BadRange(GatewayError):
    status = 416
    type = "invalid_request_error"
    code = "range_not_satisfiable"

    def __init__(self, size_bytes: int) -> None:
        super().__init__(f"The range lies behind the file's end; it has {size_bytes} bytes.", param="Range")
        self.size_bytes = size_bytes


class KeyReused(GatewayError):
    status = 422
    type = "invalid_request_error"
    code = "idempotency_key_reused"


class RateLimited(GatewayError):
    status = 429
    type = "rate_limit_error"
    code = "rate_limit_exceeded"

    def __init__(
        self,
        message: str,
        *,
        retry_after_s: float,
        headers: tuple[tuple[str, str], ...] = (),
        code: str | None = None,
    ) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        self.headers = headers
        if code is not None:
            self.code = code


class ClientGone(GatewayError):
    status = 499
    code = "client_gone"

    def __init__(self) -> None:
        super().__init__("The caller closed the connection.")


class UpstreamFailed(GatewayError):
    """A backend failed; `kind` says how.

    the connection  connect | timeout | cut | empty | too_large | invalid
    its answer      request (the caller's fault) | auth, quota (the operator's credential or account) |
                    limited (too much at once) | status (its own trouble)

    `upstream_status` and `body` (at most 2 kB, secrets removed) are the vendor's own when it answered;
    `vendor_error` its parsed error object's message, type, param and code.
    """

    status = 502
    type = "upstream_error"
    code = "upstream_error"

    def __init__(
        self,
        message: str,
        *,
        kind: str,
        status: int = 502,
        backend: str = "",
        upstream_status: int | None = None,
        upstream_request_id: str | None = None,
        body: str = "",
        retry_after_s: float | None = None,
        type: str | None = None,
        code: str | None = None,
        param: str | None = None,
    ) -> None:
        super().__init__(message, param=param, retry_after_s=retry_after_s)
        self.kind = kind
        self.status = status
        self.backend = backend
        self.upstream_status = upstream_status
        self.upstream_request_id = upstream_request_id
        self.body = body
        if type is not None:
            self.type = type
        if code is not None:
            self.code = code

    @property
    def retryable(self) -> bool:
        """Whether another backend may do better."""
        return self.kind != "request"


class Unavailable(GatewayError):
    status = 503
    type = "server_error"
    code = "unavailable"

    def __init__(self, message: str, *, retry_after_s: float = 1.0, code: str | None = None) -> None:
        super().__init__(message, retry_after_s=retry_after_s)
        if code is not None:
            self.code = code


class UpstreamTimeout(UpstreamFailed):
    """A deadline passed: `stage` is connect, first, between or total."""

    code = "upstream_timeout"

    def __init__(self, message: str, *, stage: str, backend: str = "") -> None:
        super().__init__(message, kind="timeout", status=504, backend=backend, code="upstream_timeout")
        self.stage = stage
