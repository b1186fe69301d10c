"""The day of a release in a real browser: stock MLflow's own dialog, our review pages, two people, nothing faked.

Candidate, policy and people are a play, but for version 1: that is the repository's own candidate under its own policy,
and it is refused.
"""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import candidate
import live as living
import play
import pytest
from live import Live, Version

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no chromium here (sh setup/chromium.sh)"),
]
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 120_000
"""For a machine that is busy with other tests."""
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
LOOKS = [("desktop", "light"), ("phone", "dark"), ("desktop", "dark"), ("phone", "light")][
    : int(os.environ.get("TWINOPS_LOOKS", "2"))
]
"""Colours hang on the theme, and what stands where on the width: two tell both; `make test-server-full` tries all."""
SWITCHED_OFF = re.compile(r"/ajax-api/3\.0/mlflow/assistant")
"""A governed server closes MLflow's assistant, which runs commands on the server; its pages ask for it all the same."""
HOSTILE = """# <script>document.title='owned'</script><img src=x onerror="document.title='owned'">

[click](javascript:document.title='owned') ![far](https://example.org/x.png) ![own](../../reports/figures/accuracy.png)

<iframe src="https://example.org"></iframe>

| | a |
|---|---|
| b | <b onclick=x>c</b> |
"""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with living.serving(tmp_path_factory.mktemp("browser")) as server:
        yield server


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=QUIET)
        yield browser
        browser.close()


class Tab:
    """A person's browser window that notes what goes wrong in it."""

    def __init__(self, page: Any, address: str) -> None:
        self.page, self.address = page, address
        self.wrong: list[str] = []
        page.on("pageerror", lambda problem: self.wrong.append(str(problem)))
        page.on("console", self._heard)

    def _heard(self, message: Any) -> None:
        where = (message.location or {}).get("url", "")
        if message.type == "error" and not SWITCHED_OFF.search(where):
            self.wrong.append(f"{message.text} {where}")

    def opened(self, path: str) -> Tab:
        self.page.goto(self.address + path)
        return self

    def ask_for_revoked(self) -> None:
        """What was revoked is not served, and MLflow's page of that version notes it."""
        self.wrong = [line for line in self.wrong if "403" not in line or "/model-versions/get-artifact" not in line]

    def refused_alias(self, version: int) -> str:
        """Set `production` in MLflow's dialog; what the dialog says, or nothing when it closed."""
        self.opened(f"/#/models/{play.MODEL}/versions/{version}")
        self.page.get_by_title("Add aliases").click()
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_role("combobox").fill("production")
        self.page.keyboard.press("Enter")
        with self.page.expect_response(lambda r: "registered-models/alias" in r.url) as answer:
            dialog.get_by_role("button", name="Save").click()
        if answer.value.status == 200:
            return ""
        told = dialog.get_by_text("twinops:")
        told.wait_for()
        self.wrong = [line for line in self.wrong if "registered-models/alias" not in line]
        return str(told.first.inner_text())


@contextmanager
def tab(live: Live, chromium: Any, who: str, *, size: str = "desktop", theme: str = "light") -> Iterator[Tab]:
    """Somebody's window; nothing may go wrong in it."""
    width, height = SIZES[size]
    login = {"username": who, "password": live.passwords[who]}
    context = chromium.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, http_credentials=login
    )
    context.set_default_timeout(PATIENCE_MS)
    made = Tab(context.new_page(), live.address)
    yield made
    context.close()
    assert made.wrong == []


def review_of(version: int) -> str:
    return f"/twinops/review?name={play.MODEL}&version={version}"


def real_files() -> dict[str, bytes]:
    """The repository's own evidence and documents; one picture stands for all that the notebooks draw."""
    root = candidate.ROOT
    drawn = (root / "docs" / "images" / "accuracy.png").read_bytes()
    paths = [root / "reports" / "evidence.json", *sorted((root / "model_cards" / play.MODEL).glob("*"))]
    pictures = {f"reports/figures/{n}.png": drawn for n in ("accuracy", "fairness_ratios", "drift_distances", "other")}
    return {**pictures, **{path.relative_to(root).as_posix(): path.read_bytes() for path in paths}}


def hand_in(live: Live, version: Version, files: dict[str, bytes]) -> None:
    body = play.handed(version.files["data/twin.json"])
    kept = {name: base64.b64encode(content).decode() for name, content in files.items()}
    kept[play.JUDGED] = body["files"][play.JUDGED]
    answer = live.call("POST", "/twinops/api/evidence", {**body, "files": kept, **version.which}, who="ci")
    assert answer.status == 200, answer.body


def test_the_real_candidate_is_refused_with_its_reasons(live: Live, chromium: Any) -> None:
    live.activate((candidate.ROOT / "compliance" / "policy.yaml").read_text(encoding="utf-8"))
    version = live.registered(1)
    hand_in(live, version, real_files())
    with tab(live, chromium, "scientist") as scientist:
        assert "not approved" in scientist.refused_alias(version.version)
        description = scientist.page.locator(f'a[href*="{review_of(1)}"]')
        assert description.count() == 1, "MLflow's page links to ours"
    with tab(live, chromium, "risk-officer") as officer:
        page = officer.opened("/twinops/").page
        page.get_by_role("link", name="twin version 1").click()
        page.wait_for_url("**" + review_of(1))
        assert (
            page.locator("section", has=page.get_by_role("heading", name="In short"))
            .get_by_text("Refused by policy")
            .is_visible()
        )
        assert page.get_by_text("15 of 15 fields that only a person fills in are open.").is_visible()
        assert page.get_by_role("button", name="Approve").count() == 0
        assert page.get_by_text("The server's policy refuses it").is_visible()
        page.get_by_text("Read the model card").click()
        assert page.get_by_role("heading", name=re.compile("Model card: ")).is_visible()


@pytest.mark.parametrize(("size", "theme"), LOOKS)
def test_every_page_can_be_read_by_everybody(live: Live, chromium: Any, size: str, theme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    with tab(live, chromium, "risk-officer", size=size, theme=theme) as officer:
        for name, path in (("queue", "/twinops/"), ("review", review_of(1))):
            page = officer.opened(path).page
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            page.evaluate("document.querySelectorAll('img').forEach(i => i.loading = 'eager')")
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= SIZES[size][0], "nothing sticks out"
            assert page.evaluate("[...document.images].every(i => i.naturalWidth > 0)"), "every picture is there"
            found = Axe().run(page).response["violations"]
            assert [v for v in found if v["impact"] in ("serious", "critical")] == []
            keep(page, f"{name}-{size}-{theme}")


def keep(page: Any, name: str) -> None:
    """A picture of the page, for people, where `TWINOPS_SCREENSHOTS` says."""
    folder = os.environ.get("TWINOPS_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_a_release_by_mouse_and_keyboard(live: Live, chromium: Any) -> None:
    live.activate()
    version = live.registered(2)
    number = version.version
    with tab(live, chromium, "scientist") as scientist:
        assert "not approved" in scientist.refused_alias(number)
        page = scientist.opened(review_of(number)).page
        assert page.get_by_role("button").count() == 0, "a scientist is offered no decision"
    assert live.judged(version).status == 200

    with tab(live, chromium, "risk-officer", size="phone") as officer:
        page = officer.opened(review_of(number)).page
        page.get_by_label("Reason").focus()
        page.keyboard.type(play.PLAY)
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Approve"
        page.keyboard.press("Enter")
        page.wait_for_url("**done=approve")
        assert page.get_by_text("Approved by risk-officer").is_visible()
        assert page.get_by_text("It may carry a protected alias now.").is_visible()
        keep(page, "approved-phone")

    with tab(live, chromium, "scientist") as scientist:
        assert scientist.refused_alias(number) == ""
        scientist.page.reload()
        scientist.page.get_by_text("production").first.wait_for()
        keep(scientist.page, "mlflow-production")
    assert live.resolved().json["model_version"]["version"] == str(number)
    answer = live.put(f"{version.place}/data/twin.json", b"{}", who="scientist")
    assert (answer.status, "bytes stay" in answer.json["message"]) == (403, True)


def test_changes_are_asked_for_and_an_approval_is_revoked(live: Live, chromium: Any) -> None:
    number = int(live.resolved().json["model_version"]["version"])
    newer = live.registered(3)
    assert live.judged(newer).status == 200
    with tab(live, chromium, "risk-officer") as officer:
        page = officer.opened(review_of(newer.version)).page
        assert page.get_by_text("parts that differ").is_visible()
        assert page.get_by_text("file data/twin.json").is_visible()
        page.get_by_label("Reason").fill("short")
        with page.expect_response(lambda r: r.request.method == "POST") as refusal:
            page.get_by_role("button", name="Ask for changes").click()
        assert refusal.value.status == 403
        assert page.get_by_role("alert").inner_text() == "A reason of at least 10 characters is needed."
        assert page.get_by_label("Reason").input_value() == "short"
        officer.wrong.clear()  # the browser notes the refusal's status itself
        page.get_by_label("Reason").fill(play.PLAY)
        page.get_by_role("button", name="Ask for changes").click()
        page.wait_for_url("**done=ask")
        officer.opened("/twinops/")
        assert (
            page.get_by_role("row", name=re.compile(f"version {newer.version} .*changes asked.*scientist")).count() == 1
        )

        page = officer.opened(review_of(number)).page
        page.get_by_label("Reason").fill(play.PLAY)
        page.get_by_role("button", name="Revoke the approval").click()
        page.wait_for_url("**done=revoke")
        assert page.get_by_text("The approval of version").is_visible()
        keep(page, "revoked-desktop")
    assert live.resolved().status == 403
    with tab(live, chromium, "risk-officer") as officer:
        page = officer.opened(review_of(number)).page
        page.get_by_label("Reason").fill(play.PLAY)
        page.get_by_role("button", name="Take production down").click()
        page.wait_for_url("**done=take-down")
        told = page.locator(".history").inner_text()
        words = ("registered", "evidence handed in", "approved", "alias set", "revoked", "taken down", "refused")
        assert [word for word in words if word not in told] == []


def test_the_readme_names_what_is_there(live: Live, chromium: Any) -> None:
    """Its addresses open, and every word it sets off can be clicked on one of the pages, as the tests above do."""
    told = (candidate.ROOT / "docs" / "release.md").read_text(encoding="utf-8")
    told = told.split("## The same in a browser")[1].split("\n## ")[0]
    addresses = re.findall(r"<http://127\.0\.0\.1:5000(/[^>]*)>", told)
    named = set(re.findall(r"\*([A-Z][\w ]+)\*", told))
    assert (len(addresses), len(named)) >= (2, 4)
    live.activate()
    approved, waiting = live.approved(9), live.registered(10)
    assert live.judged(waiting).status == 200
    pages = [*addresses, review_of(approved.version), review_of(waiting.version)]
    seen = set()
    with tab(live, chromium, "risk-officer") as officer:
        for address in pages:
            page = officer.opened(address).page
            page.get_by_role("heading").first.wait_for()
            if "#" in address:
                page.get_by_title("Add aliases").or_(page.get_by_text("Aliases")).first.wait_for()
            seen |= {name for name in named if page.get_by_text(name, exact=True).count()}
        officer.ask_for_revoked()
    assert seen == named


def test_hostile_text_stays_text(live: Live, chromium: Any) -> None:
    version = live.registered(4)
    files = {n: base64.b64decode(c) for n, c in play.handed(version.files["data/twin.json"])["files"].items()}
    files[f"model_cards/{play.MODEL}/README.md"] = HOSTILE.encode()
    files["reports/figures/accuracy.png"] = real_files()["reports/figures/accuracy.png"]
    files["reports/figures/x.html.png"] = b"<script>document.title='owned'</script>"
    hand_in(live, version, files)
    with tab(live, chromium, "risk-officer") as officer:
        page = officer.opened(review_of(version.version)).page
        page.get_by_text("Read the model card").click()
        page.wait_for_load_state("networkidle")
        assert "owned" not in page.title()
        assert page.locator(".document :is(script, iframe, [onerror], [onclick], a)").count() == 0
        assert page.locator(".document img").count() == 1, "its own picture, not the far one"
        assert page.locator(".document").get_by_text("<script>").first.is_visible()
    file = review_of(version.version).replace("/review?", "/file?") + "&path="
    bad = live.call("GET", f"{file}reports/figures/x.html.png", who="dpo")
    assert bad.headers["content-type"].startswith("text/plain")
    assert "sandbox" in bad.headers["content-security-policy"]
    for path in ("../registry.key", "registry/registry.key", "reports/figures/../evidence.json"):
        assert live.call("GET", file + path, who="dpo").status == 404


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))


def test_mlflows_viewer_still_shows_a_page_though_none_of_ours_is_framed(live: Live, chromium: Any) -> None:
    page = b"<p>A page that was uploaded</p>"
    version = live.uploaded(9, files={"page.html": page})
    experiment = live.experiment("scientist")
    with tab(live, chromium, "scientist") as scientist:
        scientist.opened(f"/#/experiments/{experiment}/runs/{version.run}/artifacts/model/page.html")
        shown = scientist.page.frame_locator("iframe").get_by_text("A page that was uploaded")
        shown.wait_for()
        assert scientist.wrong == []
        framed = "a => new Promise(ok => { const f = document.createElement('iframe'); f.src = a; f.onload = () => ok("
        framed += "f.contentDocument?.body?.innerText ?? ''); document.body.append(f) })"
        assert scientist.page.evaluate(framed, "/twinops/") == ""
        assert scientist.page.evaluate(framed, "/health") == ""
        assert [line for line in scientist.wrong if "frame-ancestors" not in line] == []
        assert scientist.wrong, "the browser says that it refused"
        scientist.wrong = []


def test_a_form_counts_only_for_whom_and_what_it_was_shown(live: Live) -> None:
    version = live.registered(5)
    assert live.judged(version).status == 200
    address = review_of(version.version)
    page = live.call("GET", address, who="risk-officer")
    policy = page.headers["content-security-policy"]
    assert ("unsafe" in policy, "default-src 'none'" in policy, b"<script" in page.body) == (False, True, False)
    fields = hidden(page.body.decode())
    other = hidden(live.call("GET", review_of(1), who="risk-officer").body.decode())

    def sent(who: str = "risk-officer", headers: dict[str, str] | None = None, **changes: str) -> int:
        from urllib.parse import urlencode

        told = {**fields, "act": "reject", "reason": play.PLAY, **changes}
        form = {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}
        return live.call("POST", "/twinops/review", urlencode(told).encode(), who=who, **form).status

    assert sent(token="") == 403
    assert sent(token=other["token"]) == 403
    assert sent(digest=other["digest"]) == 403
    assert sent(who="dpo") == 403
    assert sent(headers={"Origin": "http://localhost:8888"}) == 403
    assert sent(act="promote") == 400
    assert live.shown(version)["state"] == "waiting"
    assert live.call("GET", address).status == 401, "nobody reads it without a login"
    assert live.call("GET", "/twinops/review?name=twin&version=999", who="dpo").status == 404
    assert live.call("GET", "/twinops/review?name=twin&version=1;2", who="dpo").status == 400
    assert sent() == 200, "after the redirect"
    assert live.shown(version)["state"] == "rejected"
    assert json.loads(live.call("GET", "/twinops/api/queue", who="dpo").body)["versions"]
