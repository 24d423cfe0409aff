"""Opens the object storage that the configuration names: a folder, an S3-compatible bucket, or Alibaba Cloud's OSS.

The library is imported when storage is first opened: a gateway that stores nothing does not pay for it.
"""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, assert_never

from msgspec import Struct

from tokengate.core.settings import ResultSettings

if TYPE_CHECKING:
    from obstore.store import LocalStore, S3Config, S3Store

_CONNECT_TIMEOUT: Final = timedelta(seconds=10)
_SILENCE: Final = timedelta(seconds=60)  # between two pieces of a reply
# Of a whole request, which for a large file that a caller takes in slowly is long.
_TIMEOUT: Final = timedelta(hours=6)
_MAX_RETRIES: Final = 3
_RETRY_TIMEOUT: Final = timedelta(seconds=30)
_REGION: Final = "us-east-1"  # what servers that have no regions are asked with


class Folder(Struct, frozen=True):
    """A folder of this machine, or one that several machines share."""

    path: Path


class Bucket(Struct, frozen=True):
    """A bucket, or what lies below a prefix in it."""

    name: str
    prefix: str
    endpoint: str  # empty: Amazon's own
    region: str
    in_host: bool  # the endpoint names the bucket
    access_key: str
    secret_key: str


Place = Folder | Bucket


def place_of(settings: ResultSettings, data: Path, keys: tuple[str, str]) -> Place:
    """Return where results are kept; `keys` are those of object storage."""
    scheme, _, rest = settings.url.partition("://")
    if scheme == "":
        return Folder(data / "results")
    if scheme == "file":
        return Folder(Path(rest))
    bucket, _, prefix = rest.partition("/")
    endpoint = settings.endpoint.rstrip("/")
    in_host = settings.bucket_in_host
    if scheme == "oss":
        # https://help.aliyun.com/en/oss/developer-reference/use-aws-sdks-to-access-oss, 2026-11
        endpoint = endpoint or f"https://s3.oss-{settings.region}.aliyuncs.com"
        in_host = True
    if endpoint and in_host:
        endpoint = endpoint.replace("://", f"://{bucket}.", 1)
    return Bucket(bucket, prefix.strip("/"), endpoint, settings.region or _REGION, in_host, *keys)


def open_storage(place: Place) -> "LocalStore | S3Store":
    """Return the storage at a place; a folder is made when it is not there."""
    from obstore.store import LocalStore, S3Store

    match place:
        case Folder():
            place.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            return LocalStore(place.path, automatic_cleanup=True)
        case Bucket():
            at: S3Config = {"endpoint": place.endpoint} if place.endpoint else {}
            return S3Store(
                place.name,
                config=at,
                prefix=place.prefix or None,
                region=place.region,
                access_key_id=place.access_key,
                secret_access_key=place.secret_key,
                virtual_hosted_style_request=place.in_host,
                client_options={
                    "allow_http": place.endpoint.startswith("http://"),
                    "connect_timeout": _CONNECT_TIMEOUT,
                    "read_timeout": _SILENCE,
                    "timeout": _TIMEOUT,
                },
                retry_config={"max_retries": _MAX_RETRIES, "retry_timeout": _RETRY_TIMEOUT},
            )
        case _:
            assert_never(place)
