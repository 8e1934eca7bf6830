"""The Markdown summary: complete, deterministic, and dead to whatever an outsider writes."""

from __future__ import annotations

import re

import pytest
from markdown_it import MarkdownIt

from backport.report.markdown import code, prose, render, row

from . import examples

GFM = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def test_it_says_what_landed_what_conflicts_and_why():
    text = render(examples.ksm())
    assert "30 of 31 patches landed, 1 needs a person" in text
    assert "| conflict | 1 |" in text
    assert "`arch/x86/kvm/mmu.c` line 748 in `kvm_handle_hva`" in text
    assert "because of `44ad9944f151`" in text
    assert "`__set_spte`" in text
    assert "d555c333aa54" in text
    assert "`backport prove ksm --toolchain gcc-4.4`" in text


def test_what_was_left_out_names_its_cause_and_reason():
    text = render(examples.with_left_out())
    assert "6a46079cf57a" in text
    assert "Fedora 12 has no swap over KSM pages" in text


@pytest.mark.parametrize("make", [examples.ksm, examples.with_left_out, examples.with_rules, examples.hostile, examples.empty])
def test_it_is_deterministic_ascii_safe_and_ends_with_one_newline(make):
    text = render(make())
    assert text == render(make())
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert all(char == "\n" or char.isprintable() for char in text)


def test_an_empty_series_and_no_tip_are_said():
    text = render(examples.empty())
    assert "the series is empty" in text
    assert "no new tip" in text


def test_hostile_text_makes_no_markup():
    page = GFM.render(render(examples.hostile()))
    outside = re.sub(r"<(code|pre)[^>]*>.*?</\1>", "", page, flags=re.DOTALL)
    tags = "h2 h3 h4 p strong code pre ul li table thead tbody tr th td"
    assert set(re.findall(r"<(\w+)", page)) <= set(tags.split(" "))
    assert not re.search(r"[@#]\w", outside)
    assert page.count("<td") == 3 + 8 + 5


def test_a_fence_cannot_be_closed_from_inside():
    tokens = [token for token in GFM.parse(render(examples.hostile())) if token.type == "fence"]
    assert len(tokens) == 1
    assert "\n```\n" in tokens[0].content
    assert tokens[0].content.endswith(">>>>>>>\n")
    assert "… 9967 more lines" in tokens[0].content


ODD = ["- x", "1. x", "12) x", "+ x", "# x", "> q", "***", "===", "~~x~~", "__a__ b_c _d_", "a & b &lt; &#35;", "[a](b)",
       "![a](b)", "`x", "\\", "a\\|b", "a | b", "<script>", "<!-- x", "`` ` ``", "$x$", "trailing \\"]  # fmt: skip


@pytest.mark.parametrize("text", ODD)
def test_prose_shows_exactly_its_text(text):
    assert shown(GFM.render(prose(text) + "\n"), "p") == text
    assert shown(GFM.render(f"| a | b |\n|---|---|\n{row(prose(text), 'end')}\n"), "td") == text


@pytest.mark.parametrize("text", [*ODD, "`", "`a`", " a ", "a``b`"])
def test_code_shows_exactly_its_text(text):
    assert shown(GFM.render(code(text) + "\n"), "code") == text
    assert shown(GFM.render(f"| a | b |\n|---|---|\n{row(code(text), 'end')}\n"), "code") == text


def test_empty_code_is_nothing():
    assert code("") == code("  ") == ""


def shown(page: str, tag: str) -> str:
    inner = re.search(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
    assert inner, page
    text = inner[1].replace("<!-- -->", "")
    for entity, char in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        text = text.replace(entity, char)
    return text


def test_what_rules_did_and_would_do_is_told_with_reason_and_figures():
    text = render(examples.with_rules())
    assert "`mm/ksm.c` line 120 in `scan_box`: `anchor`: the lines stand once in the function" in text
    assert "Suggestion 1, by `renames`, right in 31 of 40 real backports (77 %):" in text
    assert "But visit: it would land in drop" in text
    assert "```diff\n--- a/arch/x86/kvm/mmu.c" in text
