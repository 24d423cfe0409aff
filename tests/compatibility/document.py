"""The matrix as documents: the cells as JSON, which tests compare with a run, and two pages that are made of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from msgspec import convert, json

from tests.compatibility.capabilities import CAPABILITIES, GROUPS
from tests.compatibility.clients import CLIENTS, Client
from tests.compatibility.run import Cell
from tests.compatibility.vendors import VENDORS

Lang = Literal["en", "zh"]
Cells = Mapping[str, Mapping[str, Mapping[str, Cell]]]  # by client, capability and vendor

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
COMMAND = "make compatibility"

MARKS = {"passed": "✓", "refused": "✗", "left_out": "△", "absent": "–", "absent_left_out": "·"}
_WORDS: Mapping[Lang, Mapping[str, str]] = {
    "en": {
        "title": "# Compatibility",
        "head": (
            "What callers of each format can have from each vendor. Every cell is run: the request, in the caller's "
            "raw bytes, goes through a gateway to a strict simulation of the vendor, whole and streamed, and the test "
            "looks at what arrived there and at what came back. "
            "[What is converted](../guide/conversion.en.md) tells how.\n\n"
            "| | |\n| --- | --- |\n"
            "| ✓ | passed: what was asked arrives, and the answer comes back with it |\n"
            "| ✗ | refused by design, with the parameter's name; the reason is below the table |\n"
            "| △ | left out by design: the call is answered, and `X-TokenGate-Warning` names what was left out |\n"
            "| – | not offered by the vendor: the request is refused by name, or there is nothing to come back |\n"
            "| · | not offered by the vendor: the call is answered without it, and `X-TokenGate-Warning` names it |"
        ),
        "none": "This format has no words for: {}.",
        "why": "Why ✗ and △:",
        "comma": ", ",
    },
    "zh": {
        "title": "# 兼容性",
        "head": (
            "每种请求格式能从每个厂商得到什么。每一格都由测试运行得出:以调用方的原始请求体,经网关发往严格模拟的厂商,整体与流式各一次,"
            "检查到达厂商的内容和返回的内容。[如何转换](../guide/conversion.zh.md)说明规则。\n\n"
            "| | |\n| --- | --- |\n"
            "| ✓ | 通过:请求的内容完整到达,结果完整返回 |\n"
            "| ✗ | 按设计拒绝,并指出参数名;原因见表下 |\n"
            "| △ | 按设计略去:请求照常应答,`X-TokenGate-Warning` 指出略去的内容 |\n"
            "| – | 厂商不提供:按参数名拒绝,或没有可返回的内容 |\n"
            "| · | 厂商不提供:请求照常应答但不含此项,`X-TokenGate-Warning` 指出名称 |"
        ),
        "none": "此格式没有以下内容的表示方法:{}。",
        "why": "✗ 与 △ 的原因(网关原文):",
        "comma": "、",
    },
}


def read_cells() -> Cells:
    """Return the committed cells."""
    told = json.decode((FOLDER / "compatibility.json").read_bytes(), type=dict[str, dict[str, dict[str, str]]])
    return {
        client: {name: {vendor: cell_in(text) for vendor, text in row.items()} for name, row in rows.items()}
        for client, rows in told.items()
    }


def write(cells: Cells) -> None:
    """Write the cells, a capability on a line, and the pages."""
    FOLDER.mkdir(exist_ok=True)
    clients: list[str] = []
    for client in CLIENTS:
        rows: list[str] = []
        for one in CAPABILITIES:
            if client.name in one.asks:
                row = cells[client.name][one.id]
                told = {vendor.id: text_of(row[vendor.id]) for vendor in VENDORS}
                rows.append(f'    "{one.id}": {json.encode(told).decode()}')
        clients.append(f'  "{client.name}": {{\n' + ",\n".join(rows) + "\n  }")
    (FOLDER / "compatibility.json").write_text("{\n" + ",\n".join(clients) + "\n}\n")
    for lang in ("en", "zh"):
        path(lang).write_text(page(cells, lang))


def text_of(cell: Cell) -> str:
    """Return a cell as the JSON has it."""
    return f"{cell.state}: {cell.reason}" if cell.reason else cell.state


def cell_in(text: str) -> Cell:
    """Return the cell that a text of the JSON says."""
    state, _, reason = text.partition(": ")
    return convert({"state": state, "reason": reason}, Cell)


def path(lang: Lang) -> Path:
    """Return where a page is."""
    return FOLDER / f"compatibility.{lang}.md"


def page(cells: Cells, lang: Lang) -> str:
    """Return a page."""
    words = _WORDS[lang]
    made = f"<!-- Made by `{COMMAND}`; a test fails when it is not what the run gives. -->"
    return "\n\n".join([made, words["title"], words["head"], *(_section(cells, one, lang) for one in CLIENTS)]) + "\n"


def _section(cells: Cells, client: Client, lang: Lang) -> str:
    words, column = _WORDS[lang], 0 if lang == "en" else 1
    told = [one for one in CAPABILITIES if client.name in one.asks]
    missing = [one.title[column] for one in CAPABILITIES if client.name not in one.asks]
    lines = [
        "| | " + " | ".join(vendor.title for vendor in VENDORS) + " |",
        "| --- |" + " :-: |" * len(VENDORS),
    ]
    for group, titles in GROUPS.items():
        rows = [one for one in told if one.group == group]
        if rows:
            lines.append(f"| **{titles[column]}** |" + " |" * len(VENDORS))
        for one in rows:
            marks = (MARKS[cells[client.name][one.id][vendor.id].state] for vendor in VENDORS)
            lines.append(f"| {one.title[column]} | {' | '.join(marks)} |")
    section = [f"## {client.title}", "\n".join(lines)]
    if missing:
        section.append(words["none"].format(words["comma"].join(missing)))
    if reasons := _reasons(cells, client, column):
        section += [words["why"], reasons]
    return "\n\n".join(section)


def _reasons(cells: Cells, client: Client, column: int) -> str:
    lines: list[str] = []
    for one in CAPABILITIES:
        for vendor in VENDORS if client.name in one.asks else ():
            cell = cells[client.name][one.id][vendor.id]
            if cell.state in ("refused", "left_out"):
                lines.append(f"- {one.title[column]}, {vendor.title}: {cell.reason}")
    return "\n".join(lines)
