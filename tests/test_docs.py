"""The pages a reader starts with: true to the code, and equal in both languages."""

import importlib
import os
import re

import pytest
from tiny import ROOT

import config

PAGES = ["README.md", "README.zh-CN.md", "ARTICLE.md", "ARTICLE.zh-CN.md"]
MODULES = {name[:-3] for name in os.listdir(ROOT) if name.endswith(".py")}


def read(page: str) -> str:
    with open(os.path.join(ROOT, page), encoding="utf-8") as file:
        return file.read()


@pytest.mark.parametrize("page", PAGES)
def test_every_file_function_and_link_that_a_page_names_exists(page):
    text = read(page)
    for span in re.findall(r"`([\w./]+)`", re.sub(r"```.*?```", "", text, flags=re.S)):
        module, _, names = span.partition(".")
        if module in MODULES and names not in ("py", "md", "json", "model", "safetensors", "pth", ""):
            found = importlib.import_module(module)
            for name in names.split("."):
                assert hasattr(found, name) or name in getattr(found, "__annotations__", {}) or (
                    name in config.DEFAULTS.get(module, {})), f"{page}: {span}"  # a module, or a section of the config
                found = getattr(found, name, None)
        elif re.fullmatch(r"[\w/]+\.(py|json)", span) and not span.startswith(("report", "config.json", "manifest.json", "tokenizer.json", "out/")):
            assert any(os.path.exists(os.path.join(ROOT, folder, span)) for folder in ("", "configs")), f"{page}: {span}"
    for target in re.findall(r"\]\(([^)#:]+)\)", text):
        assert os.path.exists(os.path.join(ROOT, target)), f"{page}: {target}"


@pytest.mark.parametrize("english, chinese", [PAGES[:2], PAGES[2:]])
def test_both_languages_have_the_same_sections_tables_code_and_figures(english, chinese):
    english, chinese = read(english), read(chinese)
    for pattern in (r"^#+ ", r"^\|.*\|$", r"^- ", r"^\*\*", r"^!\["):
        assert len(re.findall(pattern, english, re.M)) == len(re.findall(pattern, chinese, re.M)), pattern

    def code(text):  # comments are translated
        return [re.sub(r"\s+# .*", "", block) for block in re.findall(r"^```\n(.*?)^```", text, re.S | re.M)]

    assert code(english) == code(chinese)

    def figures(text):
        return [sorted(re.findall(r"\d+(?:[.,]\d+)+(?!B)", row)) for row in re.findall(r"^\|.*\|$", text, re.M)]

    assert figures(english) == figures(chinese)
