import base64
import hashlib
import json
import re
from html.parser import HTMLParser

from any_run import RUNS
from hypothesis import given, settings

from reports import html

LOADING = {"src", "srcset", "action", "formaction", "poster", "background", "data"}


class Page(HTMLParser):
    """What a parser finds: tags with attributes, and the text of each script."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.words = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.tags and self.lasttag == "script" and self.cdata_elem:
            self.scripts[-1] += data
        else:
            self.words.append(data)

    def named(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]

    def tapes(self):
        return [json.loads(text) for text in self.scripts[:-1]]


@settings(max_examples=60)
@given(RUNS)
def test_any_run_makes_a_page_of_our_tags_alone(run):
    page = Page(html.render(run))

    count = len(run["results"])
    assert len(page.named("script")) == count + 1
    assert len(page.named("li")) >= count
    assert not page.named("img")
    assert not any(name.startswith("on") for _, a in page.tags for name in a)


@settings(max_examples=60)
@given(RUNS)
def test_any_run_makes_text_that_can_be_written(run):
    assert html.render(run).encode().startswith(b"<!doctype html>")


@settings(max_examples=60)
@given(RUNS)
def test_every_exchange_survives_embedding(run):
    page = Page(html.render(run))

    tapes = [result["exchanges"] for result in run["results"]]
    assert sorted(map(json.dumps, page.tapes())) == sorted(map(json.dumps, tapes))


def test_the_page_loads_nothing(run):
    text = html.render(run)
    page = Page(text)

    assert not [a for _, a in page.tags if LOADING & a.keys()]
    assert not page.named("link")
    assert not re.search(r"@import|url\(|fetch\(|XMLHttpRequest", text)
    assert all(a["href"].startswith("#") for a in page.named("use"))


def test_the_policy_names_the_one_script(run):
    page = Page(html.render(run))

    policy = next(a["content"] for a in page.named("meta") if "http-equiv" in a)
    known = base64.b64encode(hashlib.sha256(page.scripts[-1].encode()).digest())
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{known.decode()}'" in policy


def test_only_web_addresses_are_links(run):
    source = run["results"][0]["source"][0]
    source["url"] = "javascript:alert(1)"

    page = Page(html.render(run))

    assert {re.match(r"#|https?://", a["href"]) is None for a in page.named("a")} == {
        False
    }


def test_the_worst_clause_comes_first(run):
    page = Page(html.render(run))

    rows = [a for a in page.named("li") if "data-clause" in a]
    assert [row["data-outcome"] for row in rows[:3]] == ["fails"] * 3
    assert len(rows) == len(run["results"])


def test_the_verdict_and_the_facts_are_told(run):
    words = " ".join(Page(html.render(run)).words)

    told = [run["command"], run["target"]["url"], run["spec"], "gpt-3.5-turbo-instruct"]
    assert [fact for fact in ["Not conformant", *told] if fact not in words] == []
