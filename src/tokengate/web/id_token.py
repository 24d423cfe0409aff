"""ID tokens: the signature and the times are right, or it is none (OpenID Connect Core 1.0, section 3.1.3.7).

Whose it is, for whom, and for which sign-in, is for the caller to check.
"""

import json
from typing import Literal

import msgspec
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jwt import JWTClaimsRegistry
from msgspec import Struct, UnsetType

from tokengate.core.errors import Forbidden

# Asymmetric only: a client secret must not be able to sign, and `none` signs nothing.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
_LEEWAY_S = 60
_MAX_SUBJECT_CHARS = 255


class UnknownKey(Exception):
    """The token names a key that the provider did not have when its keys were fetched."""


class Claims(Struct, frozen=True):
    """What is read of an ID token."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: int
    iat: int
    nonce: str = ""
    azp: str = ""
    email: str = ""
    email_verified: bool | Literal["true", "false"] | UnsetType = msgspec.UNSET  # some send a string
    name: str = ""
    preferred_username: str = ""

    @property
    def audience(self) -> list[str]:
        """Every client that the token is for."""
        return [self.aud] if isinstance(self.aud, str) else self.aud


def read_id_token(text: str, jwks: bytes, *, now_s: int) -> Claims:
    """Return the claims. Raises Forbidden for a token that is not signed with one of the keys, over, not yet valid or
    malformed; UnknownKey when it may be signed with a newer key."""
    try:
        keys = KeySet.import_key_set(json.loads(jwks))
        token = jwt.decode(text, keys, algorithms=list(_ALGORITHMS))
        JWTClaimsRegistry(now=now_s, leeway=_LEEWAY_S).validate(token.claims)
        claims = msgspec.convert(token.claims, Claims)
    except InvalidKeyIdError as error:
        raise UnknownKey from error
    except (JoseError, ValueError, TypeError, KeyError, msgspec.ValidationError) as error:
        raise Forbidden("Signing in failed: the ID token is not valid.", code="oidc_failed") from error
    if not 0 < len(claims.sub) <= _MAX_SUBJECT_CHARS or not claims.sub.isprintable():
        raise Forbidden("Signing in failed: the ID token names nobody.", code="oidc_failed")
    return claims
