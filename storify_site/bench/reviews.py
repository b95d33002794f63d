"""Benchmark of reviews by keyboard: decisions a minute, and the wait for the next photo."""

import json
import shutil
import time
from typing import Any

from storify_site.bench.figures import quantile
from storify_site.bench.site import Site, manage

STAFF = {"email": "staff@storify.test", "password": "storify-demo"}
WIDTH, HEIGHT = 1280, 800
TIMEOUT_MS = 120_000
# A quick reviewer's look at a photo; without any, the next photo can't be fetched ahead.
LOOK_SECONDS = 0.6
# Every third tag is wrong: an action is chosen before the photo is accepted.
CORRECTION, CORRECTED_EVERY = "x", 3
# When each photo was on screen, by its item, and when Enter was pressed last. A photo that is
# decoded when a frame begins is on screen when the one after that begins.
_WATCH = """() => {
    window.painted = {};
    window.pressed = 0;
    const stage = document.getElementById("review-stage");
    new MutationObserver(async () => {
        const item = stage.querySelector("[data-item]");
        await item?.querySelector("img").decode().catch(() => {});
        requestAnimationFrame(() => requestAnimationFrame(() => {
            if (item) painted[item.dataset.item] ??= performance.now();
        }));
    }).observe(stage, { childList: true });
    addEventListener("keydown", (event) => {
        if (event.key === "Enter") pressed = event.timeStamp;
    }, true);
}"""
_NOW_SHOWN = "document.querySelector('#review-stage [data-item]')?.dataset.item ?? ''"
# Of a blind check nothing is ticked, so that Enter alone wouldn't save it.
_NOTHING_TICKED = "!document.querySelector('#review-stage [data-item]').querySelector(':checked')"
_PAINTED = f"before => {{ const now = {_NOW_SHOWN}; return now !== before && painted[now]; }}"


def measure_reviews(site: Site, n: int) -> dict[str, Any]:
    """Review `n` photos at a quick reviewer's pace, and as many without a pause."""
    from playwright.sync_api import sync_playwright

    made = json.loads(manage(site.environment, "bench_reviews", "-n", str(2 * n + 10)))
    path = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(base_url=site.url, viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(TIMEOUT_MS)
        _sign_in(page)
        result = {
            "items": made["items"],
            "looking": _review(page, n, LOOK_SECONDS),
            "without_pause": _review(page, n, 0.0),
        }
        browser.close()
    return result


def review_table(result: dict[str, Any]) -> str:
    """One line per figure, with its goal."""
    looking, fast = result["reviews"]["looking"], result["reviews"]["without_pause"]
    rows = [
        (f"decisions a minute, {looking['look_seconds']} s a photo", looking["a_minute"], "30"),
        ("decisions a minute without a pause", fast["a_minute"], ""),
        (f"next photo painted, p50 of {looking['n']}", f"{looking['p50_ms']:.0f} ms", ""),
        ("  and p95", f"{looking['p95_ms']:.0f} ms", "100 ms"),
        ("next photo without a pause, p95", f"{fast['p95_ms']:.0f} ms", ""),
    ]
    return "\n".join(f"{name:44} {value!s:>14}   {goal}" for name, value, goal in rows) + "\n"


def _sign_in(page: Any) -> None:
    page.goto("/accounts/sign-in/")
    page.get_by_label("E-mail address").fill(STAFF["email"])
    page.get_by_label("Password").fill(STAFF["password"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/stories/**")


def _review(page: Any, n: int, look_seconds: float) -> dict[str, Any]:
    page.goto("/review/next/?queue=uncertain")
    page.evaluate(_WATCH)
    waits = []
    page.wait_for_timeout(1000)  # the first photo is looked at longer
    started = time.perf_counter()
    for number in range(n):
        if look_seconds:
            page.wait_for_timeout(1000 * look_seconds)
        waits.append(_decide(page, corrects=number % CORRECTED_EVERY == 0))
    minutes = (time.perf_counter() - started) / 60
    return {
        "n": n,
        "look_seconds": look_seconds,
        "a_minute": round(n / minutes),
        "p50_ms": quantile(waits, 50),
        "p95_ms": quantile(waits, 95),
    }


def _decide(page: Any, *, corrects: bool) -> float:
    """Answer the photo on screen; return the milliseconds until the next one is painted."""
    before = page.evaluate(_NOW_SHOWN)
    if corrects or page.evaluate(_NOTHING_TICKED):
        page.keyboard.press(CORRECTION)
    page.keyboard.press("Enter")
    painted = page.wait_for_function(_PAINTED, arg=before).json_value()
    return float(painted - page.evaluate("pressed"))
