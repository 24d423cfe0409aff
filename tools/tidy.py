"""Checks what no linter knows: integer money, SQL and the environment in their places, everything public documented.

Prints `file:line: what is wrong` for each finding and ends with status 1 when there is one.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, get_args, get_origin, get_type_hints

import msgspec
import typer
from msgspec import Struct

from tokengate.cli.main import app
from tokengate.core.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SOURCE = Path("src/tokengate")
GUIDE = Path("docs/guide")
LANGUAGES = ("en", "zh")

_IN_CHINESE = {"必填": "required", "无": "none"}
_NO_FLOAT = ("ledger", "billing", "catalog")


class Finding(NamedTuple):
    """Something that is not as it must be."""

    place: str
    message: str


def main() -> int:
    """Check the whole tree."""
    findings = [finding for file in _python_files(ROOT / SOURCE) for finding in check_source(ROOT, file)]
    for language in LANGUAGES:
        pages = {page: page.read_text(encoding="utf-8") for page in sorted((ROOT / GUIDE).glob(f"*.{language}.md"))}
        findings += check_commands(commands_of(app), f"{GUIDE}/*.{language}.md", "\n".join(pages.values()))
        configuration = GUIDE / f"configuration.{language}.md"
        findings += check_settings(Settings, str(configuration), pages.get(ROOT / configuration, ""))
    findings += check_providers(ROOT)
    findings += check_pairs(sorted(page.name for page in (ROOT / GUIDE).glob("*.md")))
    for finding in findings:
        print(f"{finding.place}: {finding.message}")
    return 1 if findings else 0


def check_source(root: Path, file: Path) -> Iterator[Finding]:
    """Yield what one module of the product does where it must not."""
    parts = file.relative_to(root / SOURCE).parts
    rules: list[Callable[[ast.AST], str | None]] = []
    if parts[0] in _NO_FLOAT:
        rules.append(_float)
    if parts[0] != "storage" and parts[-1] != "store.py":
        rules.append(_sql)
    if not (parts[0] == "core" and parts[-1].startswith("settings")):
        rules.append(_environment)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        for rule in rules:
            if message := rule(node):
                line = getattr(node, "lineno", 1)
                yield Finding(f"{file.relative_to(root)}:{line}", message)


def check_providers(root: Path) -> Iterator[Finding]:
    """Yield each vendor's module that imports another vendor's; what they share is a module of its own."""
    trees = {file: ast.parse(file.read_text(encoding="utf-8")) for file in _python_files(root / SOURCE / "providers")}
    vendors = {f"tokengate.providers.{file.stem}" for file, tree in trees.items() if _is_vendor(tree)}
    for file, tree in trees.items():
        for node in ast.walk(tree) if _is_vendor(tree) else ():
            if vendors & set(_imported(node)):
                place = f"{file.relative_to(root)}:{getattr(node, 'lineno', 1)}"
                yield Finding(place, "a provider imports another provider")


def commands_of(app: typer.Typer) -> list[str]:
    """Return every command as it is typed, such as `tokengate keys create`."""
    return list(_commands(typer.main.get_command(app), "tokengate"))


def check_commands(commands: list[str], place: str, text: str) -> Iterator[Finding]:
    """Yield each command that a language's guide never shows."""
    for command in commands:
        if not re.search(rf"{re.escape(command)}\b", text):
            yield Finding(place, f"`{command}` is not documented")


def check_settings(settings: type[Struct], place: str, text: str) -> Iterator[Finding]:
    """Yield each key that the reference leaves out, and each default that it tells wrongly.

    The reference has a heading for each table, or for several alike, such as `## [server]`, and under it rows
    `| `key` | default | ...`.
    """
    rows = _rows(text)
    for table, key, default in _keys(settings):
        shown = rows.get((table, key))
        if shown is None:
            yield Finding(place, f"`{key}` of {table} is not documented")
        elif shown != default:
            yield Finding(place, f"the default of `{key}` of {table} is {default}, not {shown}")
    known = {(table, key) for table, key, _ in _keys(settings)}
    for table, key in rows.keys() - known:
        yield Finding(place, f"`{key}` of {table} is documented, but there is no such setting")


def check_pairs(names: list[str]) -> Iterator[Finding]:
    """Yield each page of the guide that one language lacks."""
    for name in names:
        topic, language, _ = name.rsplit(".", 2)
        for other in LANGUAGES:
            if f"{topic}.{other}.md" not in names:
                yield Finding(f"{GUIDE}/{name}", f"has no counterpart in {other!r} (this is {language!r})")


def _python_files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def _float(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=float()):
            return "a float literal near money"
        case ast.Call(func=ast.Name(id="float")):
            return "float() near money"
        case ast.BinOp(op=ast.Div(), right=ast.Constant(value=str())):
            return None  # a path, such as folder / "prices.toml"
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            return "true division near money: use // or divmod"
        case _:
            return None


def _sql(node: ast.AST) -> str | None:
    if any(name.split(".")[0] in ("sqlalchemy", "aiosqlite", "asyncpg", "sqlite3") for name in _imported(node)):
        return "SQL belongs in storage/ or in a store.py"
    return None


def _environment(node: ast.AST) -> str | None:
    match node:
        case ast.Attribute(value=ast.Name(id="os"), attr="environ" | "environb" | "getenv" | "putenv"):
            return "only core/settings_file.py reads the environment"
        case ast.ImportFrom(module="os", names=names) if {name.name for name in names} & {"environ", "getenv"}:
            return "only core/settings_file.py reads the environment"
        case _:
            return None


def _imported(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [name.name for name in names]
        case ast.ImportFrom(module=str(module)):
            return [module]
        case _:
            return []


def _is_vendor(tree: ast.Module) -> bool:
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    return any(isinstance(target, ast.Name) and target.id == "PROVIDER" for target in targets)


def _commands(command: object, typed: str) -> Iterator[str]:
    below: dict[str, object] = getattr(command, "commands", {})
    if not below:
        yield typed
    for name, child in below.items():
        yield from _commands(child, f"{typed} {name}")


def _rows(text: str) -> dict[tuple[str, str], str]:
    rows: dict[tuple[str, str], str] = {}
    tables: list[str] = []
    for line in text.splitlines():
        if line.startswith("#") and (named := re.findall(r"\[+[\w.]+\]+", line)):
            tables = named
        elif row := re.match(r"\| `(\w+)` \| (.*?) \|", line):
            for table in tables:
                rows[table, row[1]] = _IN_CHINESE.get(row[2], row[2])
    return rows


def _keys(struct: type[Struct], table: str = "", array: bool = False) -> Iterator[tuple[str, str, str]]:
    """Yield (table, key, default as the reference writes it) of all settings, depth first."""
    hints = get_type_hints(struct)
    for field in msgspec.structs.fields(struct):
        below = _struct_in(hints[field.name])
        path = f"{table}.{field.name}" if table else field.name
        if below is not None:
            yield from _keys(below, path, get_origin(hints[field.name]) is list)
        elif table:
            heading = f"[[{table}]]" if array else f"[{table}]"
            yield heading, field.encode_name, _default(field)


def _struct_in(hint: object) -> type[Struct] | None:
    for kind in (hint, *get_args(hint)):
        if isinstance(kind, type) and issubclass(kind, Struct):
            return kind
    return None


def _default(field: msgspec.structs.FieldInfo) -> str:
    default = field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    match default:
        case msgspec.NODEFAULT:
            return "required"
        case None:
            return "none"
        case bool():
            return f"`{str(default).lower()}`"
        case float():
            return f"`{default:g}`"
        case int():
            return f"`{default}`"
        case list():
            return f"`{msgspec.json.encode(default).decode()}`"
        case dict():
            return "`{}`"
        case _:
            return f'`"{default}"`'


if __name__ == "__main__":
    sys.exit(main())
