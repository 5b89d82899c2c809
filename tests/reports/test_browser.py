"""The page in a real browser: what a reader does with it."""

import os
from pathlib import Path

import pytest
from sample_run import INJECTED, sample
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from reports import html

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
CHROMEDRIVER = Path(os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver"))
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,1000",
]

pytestmark = pytest.mark.skipif(
    not (CHROMIUM.exists() and CHROMEDRIVER.exists()),
    reason="needs Chromium and chromedriver",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    profile = tmp_path_factory.mktemp("profile")
    for flag in [*FLAGS, f"--user-data-dir={profile}"]:
        options.add_argument(flag)
    service = webdriver.ChromeService(str(CHROMEDRIVER))
    with webdriver.Chrome(options=options, service=service) as driver:
        yield driver


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html.render(sample()), "utf-8")
    return path.as_uri()


@pytest.fixture
def page(browser, address):
    browser.get("about:blank")  # an address that differs by its hash is not loaded anew
    browser.get(address)
    yield browser
    assert browser.get_log("browser") == []


def visible(page):
    rows = page.find_elements(By.CSS_SELECTOR, "#rows > li:not([hidden])")
    return [row.get_attribute("data-clause") for row in rows]


def opened(page, clause):
    """The row, opened by its summary as a reader would."""
    row = page.find_element(By.CSS_SELECTOR, f"[data-clause='{clause}']")
    row.find_element(By.CSS_SELECTOR, ".clause > summary").click()
    exchange = awaited(page, row, ".exchange")
    exchange.find_element(By.TAG_NAME, "summary").click()
    awaited(page, exchange, ".parts")
    return exchange


def awaited(page, within, selector):
    """The first such element, once the browser has told the page of the click."""
    found = WebDriverWait(page, 5).until(
        lambda _: within.find_elements(By.CSS_SELECTOR, selector)
    )
    return found[0]


def until_hash(page, part):
    WebDriverWait(page, 5).until(lambda browser: part in browser.current_url)


def test_filters_join_and_stay_in_the_address(page):
    page.find_element(By.CSS_SELECTOR, ".chip:has([value=fails])").click()
    page.find_element(By.CSS_SELECTOR, "[name=resource]").send_keys("completions")

    assert visible(page) == ["completions.best-of-covers-n", "completions.stream-done"]
    until_hash(page, "#resource=completions&outcome=fails")
    page.refresh()
    assert len(visible(page)) == 2


def test_the_search_reads_findings_and_operations(page):
    box = page.find_element(By.NAME, "text")

    box.send_keys("second DELETE")

    assert visible(page) == ["files.delete-twice"]
    assert page.find_element(By.ID, "shown").text == "1 of 62 shown"


def test_nothing_is_found_in_words(page):
    page.find_element(By.NAME, "text").send_keys("nowhere to be seen")

    assert page.find_element(By.ID, "none").is_displayed()


def test_the_order_can_be_chosen(page):
    page.find_element(By.NAME, "order").send_keys("by id")

    assert visible(page) == sorted(visible(page))


def test_a_stream_shows_its_curl_line_and_its_timed_events(page):
    exchange = opened(page, "completions.stream-done")

    times = exchange.find_elements(By.CSS_SELECTOR, ".events td.number")
    assert "curl -X POST http://127.0.0.1:8000/v1/completions" in exchange.text
    assert [time.text for time in times][:2] == ["3.1 ms", "17.3 ms"]
    assert all(time.is_displayed() for time in times)
    until_hash(page, "clause=completions.stream-done")


def test_markup_in_a_body_stays_text(page):
    exchange = opened(page, "completions.best-of-covers-n")

    toggle = exchange.find_elements(By.CSS_SELECTOR, "[aria-pressed]")[-1]
    assert "</script><script>" in exchange.text
    assert '"total_tokens": 8.0' in exchange.text
    toggle.click()
    raw = exchange.find_elements(By.TAG_NAME, "pre")[-1].text
    assert INJECTED.replace('"', '\\"') in raw
    assert page.title.startswith("Not conformant")
    assert not page.find_elements(By.TAG_NAME, "img")


def test_bytes_that_are_no_text_are_dumped(page):
    exchange = opened(page, "images.base64")

    assert "000010  10 11 12 13" in exchange.text


def test_a_request_without_an_answer_shows_its_error(page):
    exchange = opened(page, "audio.srt")

    assert exchange.find_element(By.CSS_SELECTOR, ".error").text == (
        "timed out after 30 s"
    )


def test_a_direct_link_opens_its_clause(page, address):
    page.get("about:blank")

    page.get(f"{address}#clause=files.delete-twice")

    row = page.find_element(By.CSS_SELECTOR, "[data-clause='files.delete-twice']")
    WebDriverWait(page, 5).until(lambda _: "2 exchanges" in row.text)
    assert 0 <= row.rect["y"] - page.execute_script("return scrollY") < 400


def test_a_resource_links_to_its_clauses(page):
    page.find_element(By.LINK_TEXT, "edits").click()

    WebDriverWait(page, 5).until(lambda _: len(visible(page)) == 2)


def test_a_copied_line_is_told(page):
    button = page.find_element(By.CSS_SELECTOR, "header .copy")

    button.click()

    WebDriverWait(page, 5).until(lambda _: button.text == "Copied")


def test_a_narrow_page_does_not_scroll_sideways(page):
    size = {"width": 420, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    opened(page, "completions.stream-done")

    width = page.execute_script("return document.documentElement.scrollWidth")
    page.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert width <= 420
