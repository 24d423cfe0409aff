"""A strict simulation of CQTAI's Suno: `POST /api/cqt/generator/suno`, `GET /api/cqt/info/suno?id=`.

The tasks and their parameters are those of https://www.cqtai.com/docs/suno, 2026-11; so are clips and timed words. How
films, sound files, beats, tags and lyrics look in a result is not published; they are as Suno's own pages have them.
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

MODELS = ("v40", "v45", "v45+", "v45-lite", "v50", "v55")
STEMS = ("Vocals", "Backing Vocals", "Drums", "Bass", "Keyboard")
DOWNBEATS = [0.48, 2.31, 4.15]

_NUMBER = (int, float)
_SONG: dict[str, Any] = {
    "task": str,
    "model": str,
    "customMode": bool,
    "makeInstrumental": bool,
    "prompt": str,
    "tags": str,
    "title": str,
    "styleWeight": _NUMBER,
    "weirdnessConstraint": _NUMBER,
    "audioWeight": _NUMBER,
}
_NEGATIVE = {"negativeTags": str}
_VOICE = {"vocalGender": str}
_CLIP: dict[str, Any] = {"task": str, "clipId": str}
_TASKS: dict[str, dict[str, Any]] = {
    "create": _SONG | _NEGATIVE | _VOICE,
    "extend": _SONG | _NEGATIVE | {"clipId": str, "continueAt": int},
    "cover": _SONG | _NEGATIVE | _VOICE | {"clipId": str},
    "upload_extend": _SONG | _NEGATIVE | {"audioUrl": str, "continueAt": int},
    "upload_cover": _SONG | _VOICE | {"audioUrl": str},
    "replace_section": _CLIP
    | {"taskId": str, "tags": str, "title": str, "infillLyrics": str, "rangeStartS": _NUMBER, "rangeEndS": _NUMBER},
    "replace_merge": _CLIP | {"editSessionId": str},
    "gen_stem_two": _CLIP,
    "gen_stem_all": _CLIP,
    "lyrics": {"task": str, "prompt": str},
    "mp4": _CLIP,
    "wav": _CLIP,
    "timeline": _CLIP,
    "downbeats": _CLIP,
    "upsample_tags": {"task": str, "prompt": str},
}
_SONGS = ("create", "extend", "cover", "upload_extend", "upload_cover")
_CLIPS = dict.fromkeys(_SONGS, 2) | {"replace_section": 1, "replace_merge": 1, "gen_stem_two": 2, "gen_stem_all": 5}


class CqtaiSimulator(MusicVendor):
    """A script for an `Upstream`. With `midi` the instruments of a song have MIDI beside their sound."""

    midi = True

    def answer(self, call: Asked) -> Json:
        path, _, query = call.path.partition("?")
        match call.method, path:
            case "POST", "/api/cqt/generator/suno":
                return {"code": 200, "msg": "success", "data": self._submit(read_object(call)).id}
            case "GET", "/api/cqt/info/suno" | "/api/cqt/v2/sunoinfo":
                return self._show(call, parse_qs(query).get("id", [""])[0])
            case _:
                raise Refused(404, "Not Found")

    def _submit(self, body: Json) -> Task:
        kind = body.get("task")
        allowed = _TASKS.get(str(kind))
        if allowed is None:
            raise Refused(400, f"unknown task {kind}")
        optional = {"negativeTags", "vocalGender", "styleWeight", "weirdnessConstraint", "audioWeight"}
        if kind in _SONGS:
            optional |= {"prompt", "tags", "title"}
        elif kind == "replace_section":
            optional |= {"tags", "title"}
        check(body, allowed, tuple(name for name in allowed if name not in optional))
        check_weights(body, "styleWeight", "weirdnessConstraint", "audioWeight")
        if kind in _SONGS:
            _check_song(body)
        for name in ("clipId", "editSessionId"):
            if name in body and self.made(body[name]) is None:
                raise Refused(400, f"{name} does not exist")
        if kind == "replace_section":
            made = self.made(body["clipId"])
            if made is None or made.id != body["taskId"] or not body["rangeStartS"] < body["rangeEndS"]:
                raise Refused(400, "taskId, clipId and range do not fit")
        if kind == "replace_merge":
            section = self.made(body["editSessionId"])
            if section is None or section.kind != "replace_section" or section.body["clipId"] != body["clipId"]:
                raise Refused(400, "editSessionId is no section of clipId")
        return self.begin(str(kind), body, _CLIPS.get(str(kind), 0))

    def _show(self, call: Asked, task_id: str) -> Json:
        task = self.look(task_id)
        if task is None:
            return {"code": 200, "msg": "success", "data": None}
        status, result, why = "queued" if not task.looks else "processing", None, ""
        if task.looks >= task.due:
            why = task.fails
            status, result = ("failed", None) if why else ("succeeded", self._result(call, task))
        return {
            "code": 200,
            "msg": "success",
            "data": {
                "id": task.id,
                "taskType": task.kind,
                "status": status,
                "errorMsg": why,
                "param": task.body,
                "result": result,
                "createTime": "2026-05-25 09:46:41",
                "completeTime": "2026-05-25 09:48:41" if result else None,
            },
        }

    def _result(self, call: Asked, task: Task) -> object:
        match task.kind:
            case "lyrics":
                words = {"text": f"[Verse]\n{task.body['prompt']}", "title": "月光", "status": "complete"}
                return words | {"error_message": "", "tags": ["acoustic pop", "warm"]}
            case "upsample_tags":
                return {"upsampled_tags": f"{task.body['prompt']} with warm synths", "request_id": task.id}
            case "timeline":
                word = {"word": "[Verse]\nla ", "success": True, "start_s": 9.1, "end_s": 9.33511, "p_align": 0.99}
                return {"aligned_words": [word], "waveform_data": [0.0, 0.12], "hoot_cer": 0.03, "is_streamed": False}
            case "downbeats":
                return {"downbeats": DOWNBEATS}
            case "mp4":
                return {"video_url": file_url(call, f"{task.body['clipId']}.mp4")}
            case "wav":
                return {"wav_file_url": file_url(call, f"{task.body['clipId']}.wav")}
            case _:
                return [self._clip(call, task, at) for at in range(len(task.clips))]

    def _clip(self, call: Asked, task: Task, at: int) -> Json:
        id, split = task.clips[at], task.kind.startswith("gen_stem")
        names = STEMS if task.kind == "gen_stem_all" else ("Vocals", "Instrumental")
        clip: Json = {
            "id": id,
            "title": f" ({names[at]})" if split else task.body.get("title", "Untitled"),
            "handle": "playfulsubtlety0358",
            "status": "complete",
            "user_id": "c267a485-9025-44b9-85c1-a9251f0e8f49",
            "metadata": {
                "tags": task.body.get("tags", ""),
                "type": "stem" if split else "gen",
                "prompt": task.body.get("infillLyrics") or task.body.get("prompt", ""),
                "duration": 91.32,
                "stream": True,
            },
            "audio_url": file_url(call, f"{id}.mp3"),
            "image_url": file_url(call, f"{id}.jpeg"),
            "image_large_url": file_url(call, f"{id}.jpeg"),
            "video_url": "" if split else file_url(call, f"{id}.mp4"),
            "model_name": "chirp-crow",
            "major_model_version": "v5",
            "created_at": "2026-05-25T01:46:41.333Z",
            "batch_index": at,
        }
        if task.kind == "gen_stem_all" and self.midi:
            clip["midi_url"] = file_url(call, f"{id}.mid")
        return clip


def _check_song(body: Json) -> None:
    if body["model"] not in MODELS:
        raise Refused(400, "model error")
    if body.get("vocalGender", "m") not in ("m", "f"):
        raise Refused(400, "vocalGender error")
    old = body["model"] == "v40"
    lyrics = 3000 if old else 5000
    limits = {"prompt": lyrics if body["customMode"] else 400, "tags": 200 if old else 1000, "title": 80}
    for name, most in limits.items():
        if len(body.get(name, "")) > most:
            raise Refused(400, f"{name} is longer than {most}")
    if not body["makeInstrumental"] and body["task"] == "create" and not body.get("prompt"):
        raise Refused(400, "prompt is required")
