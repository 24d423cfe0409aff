"""The matrix of media as documents: the cells as JSON, which tests compare with a run, and two pages that are made of
them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec import json

from tests.compatibility.document import COMMAND, FOLDER, MARKS, Lang, cell_in, text_of
from tests.compatibility.media.rows import SECTIONS, Section
from tests.compatibility.media.vendors import VENDORS, Vendor
from tests.compatibility.run import Cell

Cells = Mapping[str, Mapping[str, Mapping[str, Cell]]]  # by section, capability and vendor

_JSON = FOLDER / "media.json"
_WORDS: Mapping[Lang, Mapping[str, str]] = {
    "en": {
        "title": "# Media",
        "head": (
            "What callers of each format can have from each vendor that makes pictures, sound, films or music, or "
            "hears. Every cell is run: the request goes through a gateway to a strict simulation of the vendor, jobs "
            "to their end, and the test looks at what arrived there and at what came back. The local models are the "
            "real ones. [Compatibility](compatibility.en.md) shows the same of chats, where the marks are explained."
            "\n\n"
            "The compatible server takes what vLLM-Omni takes, hears and speaks as OpenAI does, makes variations, and "
            "draws in chats as OpenRouter does. The local models are a voice that reads English, and Whisper tiny.en."
        ),
        "why": "Why ✗ and △:",
    },
    "zh": {
        "title": "# 媒体",
        "head": (
            "每种请求格式能从每个生成图片、语音、视频、音乐或识别语音的厂商得到什么。每一格都由测试运行得出:请求经网关发往严格模拟的厂商,"
            "任务一直跟踪到结束,检查到达厂商的内容和返回的内容;本地模型是真实运行的。对话见[兼容性](compatibility.zh.md),符号的含义也在那里。\n\n"
            "兼容服务器接受 vLLM-Omni 所接受的内容,语音与识别同 OpenAI,能制作图片变体,在对话中画图同 OpenRouter。"
            "本地模型是一个朗读英语的声音和 Whisper tiny.en。"
        ),
        "why": "✗ 与 △ 的原因(网关原文):",
    },
}


def makers(section: Section) -> tuple[Vendor, ...]:
    """Return the vendors that make what a section is about: its columns."""
    return tuple(vendor for vendor in VENDORS if vendor.makes(section.kind))


def read_cells() -> Cells:
    """Return the committed cells."""
    told = json.decode(_JSON.read_bytes(), type=dict[str, dict[str, dict[str, str]]])
    return {
        section: {name: {vendor: cell_in(text) for vendor, text in row.items()} for name, row in rows.items()}
        for section, rows in told.items()
    }


def write(cells: Cells) -> None:
    """Write the cells, a capability on a line, and the pages."""
    sections: list[str] = []
    for section in SECTIONS:
        rows: list[str] = []
        for row in section.rows:
            told = {vendor.id: text_of(cells[section.id][row.id][vendor.id]) for vendor in makers(section)}
            rows.append(f'    "{row.id}": {json.encode(told).decode()}')
        sections.append(f'  "{section.id}": {{\n' + ",\n".join(rows) + "\n  }")
    _JSON.write_text("{\n" + ",\n".join(sections) + "\n}\n")
    for lang in ("en", "zh"):
        path(lang).write_text(page(cells, lang))


def path(lang: Lang) -> Path:
    """Return where a page is."""
    return FOLDER / f"media.{lang}.md"


def page(cells: Cells, lang: Lang) -> str:
    """Return a page."""
    words = _WORDS[lang]
    made = f"<!-- Made by `{COMMAND}`; a test fails when it is not what the run gives. -->"
    return "\n\n".join([made, words["title"], words["head"], *(_section(cells, one, lang) for one in SECTIONS)]) + "\n"


def _section(cells: Cells, section: Section, lang: Lang) -> str:
    column, vendors = 0 if lang == "en" else 1, makers(section)
    lines = ["| | " + " | ".join(vendor.title for vendor in vendors) + " |", "| --- |" + " :-: |" * len(vendors)]
    for row in section.rows:
        marks = (MARKS[cells[section.id][row.id][vendor.id].state] for vendor in vendors)
        lines.append(f"| {row.title[column]} | {' | '.join(marks)} |")
    told = [f"## {section.title[column]}", "\n".join(lines)]
    if reasons := "\n".join(_reasons(cells, section, column)):
        told += [_WORDS[lang]["why"], reasons]
    return "\n\n".join(told)


def _reasons(cells: Cells, section: Section, column: int) -> Iterator[str]:
    """Yield the reasons, each with the capabilities that have it."""
    for vendor in makers(section):
        told: dict[str, list[str]] = {}
        for row in section.rows:
            cell = cells[section.id][row.id][vendor.id]
            if cell.state in ("refused", "left_out"):
                told.setdefault(cell.reason, []).append(row.title[column])
        comma = ", " if column == 0 else "、"
        for reason, titles in told.items():
            yield f"- {vendor.title} ({comma.join(titles)}): {reason}"
