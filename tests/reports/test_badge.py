from xml.etree import ElementTree

from any_run import RUNS
from hypothesis import given

from reports import badge


@given(RUNS)
def test_any_run_makes_an_image_with_a_name(run):
    image = ElementTree.fromstring(badge.render(run))

    assert image.tag == "{http://www.w3.org/2000/svg}svg"
    assert image.get("aria-label").startswith("openai api 2023-")


def test_the_badge_says_how_many_hold(run):
    run["results"] = [r for r in run["results"] if r["outcome"] == "holds"]

    text = badge.render(run | {"verdict": "conformant"})

    assert ">openai api 2023-04</text>" in text
    assert ">conformant 49/49</text>" in text


def test_a_void_run_has_no_score(run):
    assert ">void</text>" in badge.render(run | {"verdict": "void"})
