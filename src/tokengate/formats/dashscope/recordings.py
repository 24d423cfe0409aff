"""Recordings heard as tasks in DashScope's own format: Paraformer, Fun-ASR and Qwen3-ASR's file transcription.

https://help.aliyun.com/zh/model-studio/paraformer-recorded-speech-recognition-restful-api and
qwen-speech-recognition, 2026-11. What was said of each recording is a JSON file of its own. The vendor fetches the
recordings, and takes none inside a request: those that were uploaded here are brought to its own storage first.
"""

import re
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from tokengate.core.errors import BadRequest
from tokengate.core.jobs import JobRequest, JobState, Progress, Submitted, VendorFile
from tokengate.core.parts import NO_EXTRA, Url
from tokengate.core.recordings import Hear, Heard, HearingTold
from tokengate.core.usage import ReportedUsage, Usage
from tokengate.core.wire import Losses
from tokengate.formats.dashscope.content import NAME, read_source
from tokengate.formats.dashscope.embeddings import write_body
from tokengate.formats.dashscope.parameters import MAX_RECORDINGS, Body
from tokengate.formats.dashscope.refusal import missing, must_be
from tokengate.formats.dashscope.requests import read_object, read_others
from tokengate.formats.dashscope.shapes import encode, is_list, is_null, is_object
from tokengate.formats.dashscope.storage import DashScopeStorage
from tokengate.formats.dashscope.task_search import TaskSearch
from tokengate.formats.dashscope.tasks import (
    Outcome,
    Tasks,
    nothing_made,
    read_state,
    read_submitted,
    seconds_of,
    text_of,
)

TRANSCRIPTION_PATH: Final = "/services/audio/asr/transcription"

_EMPTY: Final = Raw(b"{}")
_MAX_TRACKS: Final = 16
_UPLOADED: Final = "oss://"

_hears_one = re.compile(r"^qwen3-asr").match  # and has names of its own for it


def read_recordings(body: bytes) -> Hear:
    """Read a client's request. Raises BadRequest."""
    wire, members = read_object(body, _decode_body)
    asked, input_members = read_object(wire.input, _decode_input, "input")
    given, parameters = read_object(
        _EMPTY if is_null(wire.parameters) else wire.parameters, _decode_parameters, "parameters"
    )
    urls = asked.file_urls or ([asked.file_url] if asked.file_url else [])
    if not urls:
        raise missing("input.file_urls")
    if len(urls) > MAX_RECORDINGS or not all(urls):
        raise must_be("input.file_urls")
    if any(url.startswith(_UPLOADED) for url in urls):
        why = "an uploaded file is only found with the header X-DashScope-OssResourceResolve: enable"
        raise BadRequest(f"'input.file_urls': {why}.", param="input.file_urls")
    tracks = given.channel_id or [0]
    if len(tracks) > _MAX_TRACKS or not all(0 <= track < _MAX_TRACKS for track in tracks):
        raise must_be("parameters.channel_id", f"a list of tracks from 0 to {_MAX_TRACKS - 1}")
    extra = {
        **read_others(members, _BODY),
        **read_others(input_members, _INPUT, "input."),
        **read_others(parameters, _PARAMETERS, "parameters."),
    }
    if given.channel_id is not None:
        extra["parameters.channel_id"] = Raw(encode(given.channel_id))
    return Hear(
        format=NAME,
        model=wire.model,
        recordings=tuple(map(read_source, urls)),
        languages=tuple(given.language_hints or ([given.language] if given.language else [])),
        tracks=len(set(tracks)),
        alone=asked.file_urls is None,
        extra=extra,
    )


class DashScopeRecordings(Tasks, frozen=True, kw_only=True):
    """Implements `core.jobs.JobFormat` for recordings."""

    @property
    def storage(self) -> DashScopeStorage:
        return DashScopeStorage(base=self.base)

    def submit(self, task: Hear, losses: Losses, *, key: str, callback: str) -> JobRequest:
        """Return the submission. Raises Unsupported."""
        urls = [source.url for source in task.recordings if isinstance(source, Url)]
        assert len(urls) == len(task.recordings), "what was inside the task is in storage by now"
        if task.format != NAME:
            losses.foreign(task)
        asked: dict[str, Any] = {"file_urls": urls}
        parameters: dict[str, Any] = {"language_hints": list(task.languages) or None}
        if _hears_one(_plain(task.model)):
            if len(urls) > 1:
                raise losses.refuse("input.file_urls", "may be one for this model")
            asked = {"file_url": urls[0]}
            parameters = {"language": task.languages[0] if task.languages else None}
        extra = task.extra if task.format == NAME else NO_EXTRA
        body = write_body(task.model, asked, parameters, extra)
        return self.submission(TRANSCRIPTION_PATH, body, stored=any(url.startswith(_UPLOADED) for url in urls))

    def search(self, task: Hear) -> TaskSearch | None:
        """Return how recordings are looked for; None for those that had no address, and for a model that does not
        repeat addresses."""
        urls = tuple(sorted(source.url for source in task.recordings if isinstance(source, Url)))
        known = len(urls) == len(task.recordings) and not _hears_one(_plain(task.model))
        return TaskSearch(self.base, urls) if known else None

    def read_submitted(self, body: bytes, task: Hear) -> Submitted:
        """Read the answer to a submission. Raises UpstreamFailed."""
        return read_submitted(body)

    def read_progress(self, body: bytes, task: Hear) -> Progress:
        """Read how far the recordings are. Raises UpstreamFailed."""
        said = read_state(body)
        if isinstance(said, Progress):
            return said
        heard = _heard(said)
        urls = [url for url, _ in heard if url]
        if not urls:
            return nothing_made(said)
        files = tuple(
            VendorFile(f"transcription-{at}.json", url=url, media_type="application/json")
            for at, url in enumerate(urls)
        )
        usage = Usage(second=seconds_of(said.usage, "duration", "seconds"), request=1)
        told = HearingTold(tuple(one for _, one in heard))
        reported = ReportedUsage(usage, said.raw_usage)
        return Progress(JobState.SUCCEEDED, percent=100, files=files, usage=reported, told=encode(told))


def _plain(model: str) -> str:
    return model.rpartition("/")[2].lower()


def _heard(said: Outcome) -> list[tuple[str, Heard]]:
    """Return where what was said of each recording lies, which is empty for one that failed, and why it did."""
    results = said.output.get("results")
    found = results if is_list(results) else [said.output.get("result")]
    heard: list[tuple[str, Heard]] = []
    for one in found:
        if is_object(one) and (url := text_of(one, "transcription_url")):
            heard.append((url, Heard()))
        elif is_object(one):
            heard.append(("", Heard(text_of(one, "code") or "InternalError", text_of(one, "message"))))
    return heard


class _Input(Struct):
    file_urls: list[str] | None = None
    file_url: str | None = None


class _Parameters(Struct):
    language_hints: list[str] | None = None
    language: str | None = None
    channel_id: list[int] | None = None


_BODY: Final = frozenset(Body.__struct_fields__)
_INPUT: Final = frozenset(_Input.__struct_fields__)
_PARAMETERS: Final = frozenset(_Parameters.__struct_fields__)

_decode_body = msgspec.json.Decoder(Body).decode
_decode_input = msgspec.json.Decoder(_Input).decode
_decode_parameters = msgspec.json.Decoder(_Parameters).decode
