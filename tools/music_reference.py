"""Writes `docs/reference/suno.*.md`: every operation on music with its path, its parameters and its reply, as the
portal's pages have them.

`python tools/music_reference.py` writes both languages; a test says when they are out of date.
"""

from collections.abc import Iterator
from pathlib import Path

from tokengate.reference.table import TABLE, ApiOperation
from tokengate.reference.words import Field, Lang, Text, operation_words

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "reference"
LANGS: tuple[Lang, ...] = ("en", "zh")

_TITLE = Text("音乐：操作、参数与回复", "Music: operations, parameters, replies")
_ABOUT = Text(
    "由 `tools/music_reference.py` 按门户页面的数据生成。用法见[音乐](../guide/music.zh.md)。",
    "Made by `tools/music_reference.py` from the data of the portal's pages. How to use it: "
    "[Music](../guide/music.en.md).",
)
_HEAD = Text("| 参数 | 类型 | 必需 | 说明 |", "| parameter | type | required | meaning |")
_REPLY_HEAD = Text("| 回复 | 类型 | 说明 |", "| reply | type | meaning |")
_YES = Text("是", "yes")


def main() -> None:
    """Write both pages."""
    for lang in LANGS:
        path(lang).write_text(page(lang), encoding="utf-8")


def path(lang: Lang) -> Path:
    """Return where the page of a language lies."""
    return FOLDER / f"suno.{lang}.md"


def page(lang: Lang) -> str:
    """Return a page."""
    lines = [f"# {_TITLE.in_lang(lang)}", "", _ABOUT.in_lang(lang)]
    for operation in TABLE:
        if operation.errors == "suno":
            lines += ["", *_section(operation, lang)]
    return "\n".join(lines) + "\n"


def _section(operation: ApiOperation, lang: Lang) -> Iterator[str]:
    words = operation_words()[operation.id]
    yield f"## {words.title.in_lang(lang)}"
    yield ""
    yield f"`{operation.method} {operation.first_path}`: {words.summary.in_lang(lang)}"
    if words.description.zh:
        yield ""
        yield words.description.in_lang(lang)
    yield ""
    yield _HEAD.in_lang(lang)
    yield "|---|---|---|---|"
    for field in (*words.path, *words.body):
        needed = _YES.in_lang(lang) if field.required else ""
        yield f"| `{field.name}` | {_type(field)} | {needed} | {field.meaning(lang)} |"
    yield ""
    yield _REPLY_HEAD.in_lang(lang)
    yield "|---|---|---|"
    for field in words.reply[0].fields:
        yield f"| `{field.name}` | {_type(field)} | {field.meaning(lang)} |"
        for child in field.children:
            yield f"| `{field.name}.{child.name}` | {_type(child)} | {child.meaning(lang)} |"


def _type(field: Field) -> str:
    return field.type.replace(" | ", " or ") + (f": {', '.join(field.enum)}" if field.enum else "")


if __name__ == "__main__":
    main()
