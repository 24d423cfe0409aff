"""A strict simulation of sunoapi.org's Suno API, https://docs.sunoapi.org, 2026-11.

Every task that is not answered at once wants a `callBackUrl`; `told` gives what the vendor would post there, stage by
stage, and a test posts it, or not, when and in which order it likes.
"""

from typing import Any
from urllib.parse import parse_qs

from tests.simulators.music_vendor import (
    Asked,
    Json,
    MusicVendor,
    Refused,
    Task,
    check,
    check_weights,
    file_url,
    read_object,
)

MODELS = ("V4", "V4_5", "V4_5PLUS", "V4_5ALL", "V5", "V5_5")
NOTES = [
    {"name": "Drums", "notes": [{"pitch": 36, "start": "0.036458333333333336", "end": "0.18", "velocity": 1}]},
    {"name": "Electric Bass (finger)", "notes": [{"pitch": 44, "start": 7.6875, "end": 7.9, "velocity": "0.8"}]},
]

_NUMBER = (int, float)
_TOLD = {"callBackUrl": str}
_STYLE: dict[str, Any] = {
    "prompt": str,
    "style": str,
    "title": str,
    "negativeTags": str,
    "vocalGender": str,
    "styleWeight": _NUMBER,
    "weirdnessConstraint": _NUMBER,
    "audioWeight": _NUMBER,
    "model": str,
    "personaId": str,
    **_TOLD,
}
_MODE: dict[str, Any] = {"customMode": bool, "instrumental": bool}
_CLIP: dict[str, Any] = {"taskId": str, "audioId": str}
_FROM: dict[str, Any] = {"defaultParamFlag": bool, "continueAt": _NUMBER}
_ROUTES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "generate": (_STYLE | _MODE, ("customMode", "instrumental", "model", "callBackUrl")),
    "generate/extend": (_STYLE | _FROM | {"audioId": str}, ("defaultParamFlag", "audioId", "model", "callBackUrl")),
    "generate/upload-extend": (
        _STYLE | _FROM | {"uploadUrl": str, "instrumental": bool},
        ("uploadUrl", "defaultParamFlag", "model", "callBackUrl"),
    ),
    "generate/upload-cover": (
        _STYLE | _MODE | {"uploadUrl": str},
        ("uploadUrl", "customMode", "instrumental", "model", "callBackUrl"),
    ),
    "generate/replace-section": (
        _CLIP
        | _TOLD
        | {
            "prompt": str,
            "tags": str,
            "title": str,
            "negativeTags": str,
            "infillStartS": _NUMBER,
            "infillEndS": _NUMBER,
            "fullLyrics": str,
        },
        ("taskId", "audioId", "prompt", "tags", "title", "infillEndS"),
    ),
    "generate/get-timestamped-lyrics": (_CLIP, ("taskId", "audioId")),
    "vocal-removal/generate": (_CLIP | _TOLD | {"type": str}, ("taskId", "audioId", "callBackUrl")),
    "midi/generate": (_CLIP | _TOLD, ("taskId", "callBackUrl")),
    "lyrics": ({"prompt": str} | _TOLD, ("prompt", "callBackUrl")),
    "mp4/generate": (_CLIP | _TOLD | {"author": str, "domainName": str}, ("taskId", "audioId", "callBackUrl")),
    "wav/generate": (_CLIP | _TOLD, ("taskId", "audioId", "callBackUrl")),
    "style/generate": ({"content": str}, ("content",)),
}
_SONGS = ("generate", "generate/extend", "generate/upload-extend", "generate/upload-cover")
_STAGES = ("text", "first", "complete")


class SunoApiSimulator(MusicVendor):
    """A script for an `Upstream`."""

    def answer(self, call: Asked) -> Json:
        path, _, query = call.path.partition("?")
        name = path.removeprefix("/api/v1/")
        if call.method == "POST" and name in _ROUTES:
            return {"code": 200, "msg": "success", "data": self._submit(name, read_object(call))}
        if call.method == "GET" and name.endswith("/record-info"):
            record = self._record(call, name.removesuffix("/record-info"), parse_qs(query).get("taskId", [""])[0])
            return {"code": 200, "msg": "success", "data": record}
        raise Refused(404, "Not Found")

    def told(self, task: Task, base: str) -> list[Json]:
        """Return what is posted to the task's callBackUrl, in the right order."""
        songs = [self._song(f"{base}/files/{id}", id, task) for id in task.clips]
        return [
            {
                "code": 200,
                "msg": "All generated successfully.",
                "data": {"callbackType": stage, "task_id": task.id, "data": songs[:at]},
            }
            for at, stage in enumerate(_STAGES)
        ]

    def _submit(self, name: str, body: Json) -> Json:
        allowed, required = _ROUTES[name]
        check(body, allowed, required)
        check_weights(body, "styleWeight", "weirdnessConstraint", "audioWeight")
        if body.get("model", "V5") not in MODELS:
            raise Refused(422, "model is not supported")
        self._check_words(name, body)
        if "audioId" in body:
            made = self.made(body["audioId"])
            if made is None or made.id != body.get("taskId", made.id):
                raise Refused(422, "audioId does not belong to taskId")
        elif "taskId" in body:
            split = self.tasks.get(body["taskId"])
            if split is None or split.kind != "vocal-removal/generate":
                raise Refused(422, "taskId must be a vocal separation task")
        if name in ("generate/get-timestamped-lyrics", "style/generate"):
            return self._at_once(name, body)
        clips = 2 if name in _SONGS else 1 if name == "generate/replace-section" else 0
        return {"taskId": self.begin(name, body, clips).id}

    def _check_words(self, name: str, body: Json) -> None:
        if name in ("generate", "generate/upload-cover"):
            needed = ("style", "title") if body["customMode"] else ("prompt",)
            if body["customMode"] and not body["instrumental"]:
                needed = (*needed, "prompt")
        elif body.get("defaultParamFlag"):
            needed = ("prompt", "style", "title", "continueAt")
        else:
            needed = ()
        for one in needed:
            if not body.get(one):
                raise Refused(422, f"{one} is required")

    def _at_once(self, name: str, body: Json) -> Json:
        self.asked.append(body)
        if name == "style/generate":
            return {"taskId": "style-1", "result": f"{body['content']} with warm synths", "successFlag": "1"}
        word = {"word": "[Verse]\nla ", "success": True, "startS": 1.36, "endS": 1.79, "palign": 0}
        return {"alignedWords": [word], "waveformData": [0, 1, 0.5], "hootCer": 0.38, "isStreamed": False}

    def _record(self, call: Asked, kind: str, task_id: str) -> Json | None:
        task = self.look(task_id)
        if task is None or _record_of(task.kind) != kind:
            return None
        done = task.looks >= task.due
        state = "PENDING" if not done else "GENERATE_AUDIO_FAILED" if task.fails else "SUCCESS"
        if not done and kind == "generate":
            state = "FIRST_SUCCESS" if task.looks > 1 else "TEXT_SUCCESS"
        why = {"errorCode": 531 if task.fails and done else None, "errorMessage": task.fails if done else None}
        response = self._response(call, task) if state == "SUCCESS" else None
        if kind == "midi":
            flag = {"PENDING": 0, "SUCCESS": 1}.get(state, 3)
            return {"taskId": task.id, "midiData": response, "successFlag": flag, **why}
        named = "status" if kind in ("generate", "lyrics") else "successFlag"
        return {"taskId": task.id, "param": "{}", "response": response, named: state, "type": "chirp-crow", **why}

    def _response(self, call: Asked, task: Task) -> Json:
        match task.kind:
            case "lyrics":
                words = {"text": f"[Verse]\n{task.body['prompt']}", "title": "月光", "status": "complete"}
                return {"taskId": task.id, "data": [words, words | {"title": "Moonlight"}]}
            case "vocal-removal/generate":
                parts = (
                    ("vocal", "instrumental") if task.body["type"] == "separate_vocal" else ("vocal", "drums", "bass")
                )
                urls: Json = {f"{part}Url": file_url(call, f"{task.id}_{part}.mp3") for part in parts}
                return {"originUrl": None, "originData": [], **urls}
            case "midi/generate":
                return {"state": "complete", "instruments": NOTES}
            case "mp4/generate":
                return {"videoUrl": file_url(call, f"{task.body['audioId']}.mp4")}
            case "wav/generate":
                return {"audioWavUrl": file_url(call, f"{task.body['audioId']}.wav")}
            case _:
                songs = [self._song(file_url(call, id), id, task, camel=True) for id in task.clips]
                return {"taskId": task.id, "sunoData": songs}

    def _song(self, url: str, id: str, task: Task, *, camel: bool = False) -> Json:
        song: Json = {
            "id": id,
            "audio_url": f"{url}.mp3",
            "stream_audio_url": f"{url}.mp3",
            "image_url": f"{url}.jpeg",
            "prompt": task.body.get("prompt", ""),
            "model_name": "chirp-crow",
            "title": task.body.get("title", ""),
            "tags": task.body.get("style", ""),
            "createTime": 1_779_702_289_000,
            "duration": 198.44,
        }
        return {_camel(name): value for name, value in song.items()} if camel else song


def _record_of(route: str) -> str:
    return "generate" if route.startswith("generate") else route.removesuffix("/generate")


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)
