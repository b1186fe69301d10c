"""What the review page makes of documents that came with evidence: links work or are words, and nothing runs."""

from __future__ import annotations

import itertools
import re

import pytest

from twinops.server.officer import inert_documents

FILES = {"model_cards/twin/dpia.md": "/twinops/file?dpia", "reports/figures/a.png": "/twinops/file?a"}
COUNT = itertools.count()


def shown(text: str, prefix: str = "card") -> str:
    def file(at: str) -> str | None:
        return FILES.get(f"model_cards/twin/{at}")

    return str(inert_documents.as_html(text, inert_documents.Links(prefix, str(next(COUNT)), FILES.get, file)))


def test_links_inside_a_document_lead_to_its_own_headings_not_to_the_pages() -> None:
    told = shown(
        "See [below](#what-it-does-not-do) and [there](#verdicts).\n\n# What it does *not* do!\n\n## Verdicts\n"
    )
    assert '<h3 id="card-what-it-does-not-do">' in told
    assert set(re.findall(r'href="([^"]*)"', told)) == {"#card-what-it-does-not-do", "#card-verdicts"}
    assert 'id="dpia-verdicts"' in shown("# Verdicts", "dpia")


def test_headings_of_the_same_words_have_ids_of_their_own() -> None:
    assert re.findall(r'id="([^"]*)"', shown("# A\n\n# A\n\n# A\n")) == ["card-a", "card-a-1", "card-a-2"]


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("[x](dpia.md)", '<a href="/twinops/file?dpia" rel="noreferrer noopener">x</a>'),
        ("[x](dpia.md#part)", '<a href="/twinops/file?dpia" rel="noreferrer noopener">x</a>'),
        ("[x](https://example.org/)", '<a href="https://example.org/" rel="noreferrer noopener">x</a>'),
        ("[x](gone.md)", "x"),
        ("[x](#nowhere)", "x"),
        ("[x](/twinops/api/log)", "x"),
        ("[x](../../../etc/passwd)", "x"),
        ("[**x** y](gone.md) [z](dpia.md)", '<strong>x</strong> y <a href="/twinops/file?dpia" '),
        ("![p](../../reports/figures/a.png)", '<img src="/twinops/file?a" alt="p" loading="lazy" />'),
        ("![p](https://example.org/spy.png)", "(picture: p)"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("<script>alert(1)</script>", "&lt;script&gt;"),
    ],
)
def test_a_link_leads_to_what_came_with_the_evidence_or_is_words(link: str, leads: str) -> None:
    told = shown(link)
    assert leads in told
    assert "<script" not in told
    assert told.count("<a ") == told.count("</a>")
