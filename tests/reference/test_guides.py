from pathlib import Path

import pytest

from tokengate.reference.guides import Guides, docs_folder, outline, page_link


@pytest.fixture
def guides(tmp_path: Path) -> Guides:
    files = {
        "guide/one.zh.md": "# 一\n\n见[二](two.zh.md#节)和[不变量](../invariants.md)。\n\n![图](images/a.png)\n",
        "guide/one.en.md": "# One\n\nSee [two](two.en.md#a-part).\n",
        "guide/two.zh.md": "# 二\n\n## 节\n\n```bash\n# no heading\n```\n\n## 节\n",
        "guide/two.en.md": "# Two\n\n## A `part`\n",
        "invariants.md": "# Invariants\n",
        "guide/images/a.png": "picture",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return Guides(tmp_path)


def test_both_languages_are_pages(guides: Guides):
    assert guides.slugs("zh") == ["guide/one", "guide/two", "project/invariants"]
    zh, en = guides.find("guide/one", "zh"), guides.find("guide/one", "en")
    assert zh is not None and (zh.title, zh.lang) == ("一", "zh")
    assert en is not None and (en.title, en.lang) == ("One", "en")


def test_what_exists_in_english_only_is_shown_in_english(guides: Guides):
    found = guides.find("project/invariants", "zh")

    assert found is not None and found.lang == "en"
    assert guides.find("guide/none", "zh") is None


def test_links_between_files_lead_to_pages(guides: Guides):
    found = guides.find("guide/one", "zh")

    assert found is not None
    assert "[二](/docs/guide/two#节)" in found.markdown
    assert "[不变量](/docs/project/invariants)" in found.markdown
    assert "![图](/docs/guide/images/a.png)" in found.markdown


@pytest.mark.parametrize("link", ["https://example.com/a.md", "#here", "/models/x", "mailto:a@b.example"])
def test_other_links_stay(link: str):
    assert page_link(link, "guide/one.zh.md") == link


def test_the_outline_has_anchors_as_repositories_give_them(guides: Guides):
    found = guides.find("guide/two", "zh")

    assert found is not None
    assert [heading.id for heading in found.headings] == ["节", "节-1"]
    assert outline("# T\n\n## The `[server]` table, and more\n")[1][0].id == "the-server-table-and-more"


@pytest.mark.parametrize("path", ["guide/one.zh.md", "../secret.png", "guide/images/b.png", "", "/etc/x.png"])
def test_only_pictures_of_the_guides_are_given_out(guides: Guides, path: str):
    assert guides.picture(path) is None
    assert guides.picture("guide/images/a.png") == b"picture"


def test_the_repository_s_guides_are_found():
    assert "guide/quick-start" in Guides(docs_folder()).slugs("zh")
