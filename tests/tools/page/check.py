#!/usr/bin/env python3
"""Tries the page in a real browser: python3 tests/tools/page/check.py [PROGRAM].

It needs Debian's Chromium; pictures of each view are in target/screenshots afterwards. With axe-core in target/axe
(.ci/run fetches it) each view is also looked at with the eyes of those who can't see it. Without a browser it says so, and
under CI=true that's a failure.
"""

import os
import sys
import time

from devtools import Browser, Failed, chromium, wait_for
from house import BROKEN, House, check

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
PICTURES = os.path.join(ROOT, "target", "screenshots")
AXE = os.path.join(ROOT, "target", "axe", "package", "axe.min.js")
TOKEN = "a-token-for-tests-0123456789"

VIEWS = {
    "now": "/",
    "rules": "/rules",
    "rule": "/rules/living:dim-for-tv",
    "rule-waiting": "/rules/doors%3Adoor-alarm",
    "rule-never": "/rules/doors:awning-out",
    "run": "/runs/{bell}",
    "rule-yields": "/rules/devices:hall-light",
    "devices": "/devices",
    "device": "/devices/Hall%20lamp",
    "device-sensor": "/devices/zigbee2mqtt/0x00158d0000000003",
    "inputs": "/inputs",
    "graph": "/graph",
    "graph-rule": "/graph?rule=hall-light",
    "graph-nothing": "/graph?rule=hall-lihgt",
    "topics": "/topics",
    "topic": "/topics/home/bath/climate?field=humidity&last=1h",
    "topic-hostile": "/topics/hostile%2F%3Cb%3Etopic%3C%2Fb%3E",
    "timeline": "/timeline?topic=home/hall/door&last=1h",
    "shadow": "/shadow",
    "try": "/try?file=rules/broken.yaml",
}
WIDTHS = (360, 768, 1440)
# A page whose scripts are loaded.
READY = "'ready' in document.documentElement.dataset"


def take_pictures(page, house):
    """Looks at each view in each width, light and dark; returns what axe finds serious."""
    axe = open(AXE, encoding="utf-8").read() if os.path.exists(AXE) else None
    os.makedirs(PICTURES, exist_ok=True)
    bell = next(run["run"] for run in house.get("/api/traces") if run["rule"] == "doors:bell" and run["run"])
    found = []
    for name, path in VIEWS.items():
        for scheme in ("light", "dark"):
            page.colours(scheme)
            page.size(WIDTHS[0], 900)
            page.open(house.address + path.format(bell=bell))
            for width in WIDTHS:
                page.size(width, 900)
                page.screenshot(os.path.join(PICTURES, f"{name}-{width}-{scheme}.png"), 2600)
                wide = page.run("document.documentElement.scrollWidth")
                check(wide <= width, f"{name} is {wide} px wide on a screen of {width} px")
            if axe:
                page.run(axe)
                result = page.run("axe.run({ resultTypes: ['violations'] }).then(r => r.violations)")
                for one in result:
                    if one["impact"] in ("serious", "critical"):
                        where = "; ".join(node["html"][:160] for node in one["nodes"][:3])
                        found.append(f"{name}, {scheme}: {one['id']}: {one['help']}: {where}")
        complaints = page.complaints()
        check(not complaints, f"{name}: {complaints}")
    check(not found, "axe finds:\n  " + "\n  ".join(found))
    print(f"   {len(VIEWS) * len(WIDTHS) * 2} pictures in target/screenshots" + ("" if axe else "; without axe-core"))


def goes_from_view_to_view(page, house):
    page.size(1440, 900)
    page.open(house.address + "/")
    for name, wanted in [("Rules", "Door bell"), ("Devices", "Hall lamp"), ("Inputs", "Who is there"), ("Graph", "Rule by rule"), ("Topics", "home/"), ("Timeline", "Earlier"), ("Try", "Change a file"), ("Now", "Waiting")]:
        page.follow(f"[...document.querySelectorAll('nav.views a')].find(a => a.textContent === '{name}')")
        check(wanted in page.text(), f"the view {name} lacks {wanted}: {page.text()[:600]}")
    page.follow("[...document.querySelectorAll('#main a.rule')].find(a => a.textContent.includes('door-alarm'))")
    check("front door" in page.text("h1"), page.text("h1"))


def shows_what_happens_without_a_reload(page, house):
    page.open(house.address + "/")
    page.until("the stream", "document.querySelector('#link').dataset.state === 'open'")
    page.run("window.isSame = true")
    house.publish("home/garden/gate", "open now")
    page.until("the message", "document.querySelector('#recent').innerText.includes('open now')")
    check(page.run("window.isSame === true"), "the page was loaded again")


def switches_a_rule(page, house):
    page.open(house.address + "/rules/doors:bell")
    page.until("the switch", "document.querySelector('[role=switch]')?.getAttribute('aria-checked') === 'true'")
    page.click("[role=switch]")
    page.until("the switch to go", "document.querySelector('[role=switch]').getAttribute('aria-checked') === 'false'")
    check(house.get("/api/rules/doors:bell")["enabled"] is False, "the rule is still on")
    page.until("what was done to be said", "document.querySelector('#notes').innerText.includes('Switched off')")
    check("switched it off" in page.text("#stands"), f"why it doesn't run isn't told: {page.text('#stands')}")
    page.click("[role=switch]")
    page.until("the switch to come back", "document.querySelector('[role=switch]').getAttribute('aria-checked') === 'true'")


def shows_a_broken_file_while_it_is_broken(page, house):
    house.remove("rules/broken.yaml")
    page.open(house.address + "/")
    page.until("the file to go", "!document.querySelector('#wrong').innerText.includes('broken.yaml')")
    page.run("window.isSame = true")
    house.write("rules/broken.yaml", BROKEN)
    page.until("the broken file", "document.querySelector('#wrong').innerText.includes('rules/broken.yaml:3:5')")
    check("did you mean when" in page.text("#wrong").replace("`", ""), page.text("#wrong"))
    page.until("the screen reader to be told", "document.querySelector('#said').textContent.includes('wrong')")
    house.remove("rules/broken.yaml")
    page.until("the file to go again", "!document.querySelector('#wrong').innerText.includes('broken.yaml')")
    check(page.run("window.isSame === true"), "the page was loaded again")
    house.write("rules/broken.yaml", BROKEN)


def asks_why_not_on_the_timeline(page, house):
    page.open(house.address + "/timeline?last=1h")
    page.until("the drawing", "document.querySelector('#drawing .lane[data-rule*=\"bell\"]')")
    page.run(
        "(() => { const lane = document.querySelector('.lane[data-rule*=\"bell\"] .ground').getBoundingClientRect();"
        " const at = { clientX: lane.left + lane.width * 0.4, clientY: lane.top + 30, bubbles: true };"
        " document.querySelector('.lane[data-rule*=\"bell\"] .ground').dispatchEvent(new MouseEvent('click', at)); })()"
    )
    page.until("the moment to be asked about", f"location.pathname.startsWith('/rules/') && location.search.startsWith('?at=') && {READY}")
    page.until("the answer", "document.querySelector('#stands-title')?.innerText.startsWith('At ')")
    page.open(house.address + "/timeline?last=1h")
    page.until("the drawing", "document.querySelector('#drawing')")
    page.run("document.querySelector('#main').focus()")
    page.key("ArrowLeft")
    page.until("the keys to move it", "new URL(location.href).searchParams.get('from') && !location.search.includes('last=')")
    page.until("the keys to move it back", "document.readyState === 'complete' && document.querySelector('[data-key]')")


def asks_about_a_moment_of_a_rule(page, house):
    page.open(house.address + "/rules/doors:bell")
    page.until("the strip", "document.querySelector('.strip .ground')")
    page.run(
        "(() => { const ground = document.querySelector('.strip .ground'), box = ground.getBoundingClientRect();"
        " ground.dispatchEvent(new MouseEvent('click', { clientX: box.left + box.width / 2, clientY: box.top + 5, bubbles: true })); })()"
    )
    page.until("the moment to be asked about", f"location.search.startsWith('?at=') && {READY}")
    page.until("the answer", "document.querySelector('#stands-title')?.innerText.startsWith('At ')")
    check("no trigger fired" in page.text("#stands"), page.text("#stands"))


def tries_a_change_and_saves_it(page, house):
    page.open(house.address + "/try?file=rules/living.yaml")
    page.until("the text", "document.querySelector('#text')?.value.includes('dim-for-tv')")

    def type_text(old, new):
        page.run(
            f"(() => {{ const t = document.querySelector('#text'); t.value = t.value.replace({old!r}, {new!r});"
            " t.dispatchEvent(new Event('input')); })()"
        )

    type_text("when: { state: home/living/tv", "whne: { state: home/living/tv")
    page.until("the mistake to be marked", "document.querySelector('.gutter .error')")
    type_text("whne:", "when:")
    type_text("brightness: 80", "brightness: 20")
    page.until("the mark to go", "!document.querySelector('.gutter .error') && document.querySelector('#found').innerText.includes('It loads')")
    page.click("#trial button.main")
    page.until("the difference", "document.querySelector('#difference').innerText.includes('only with this text')")
    told = page.text("#difference")
    check("living:dim-for-tv" in told and '"brightness":20' in told.replace(" ", ""), told)
    check("brightness: 80" in house.read("rules/living.yaml"), "trying has written")
    page.click("[data-save]")
    page.until("it to be saved", "document.querySelector('#notes').innerText.includes('Saved')")
    check("brightness: 20" in house.read("rules/living.yaml"), "it isn't saved")


def commands_a_device(page, house):
    page.open(house.address + "/devices")
    told = page.text("#wrong")
    check("Cellar sensor" in told and "isn't available" in told and "damp" in told, f"what is wrong isn't told at once: {told}")
    page.follow("[...document.querySelectorAll('#main a')].find(a => a.textContent === 'Hall lamp')")
    check("commands it" in page.text("#rules"), page.text())
    page.until("its history", "document.querySelector('#history svg.chart')")
    page.click("button[aria-label='on: On']")
    page.until("the command to be told", "document.querySelector('#notes').innerText.includes('on: On')")
    page.until("who did it", "document.querySelector('#main').innerText.includes('Who commanded it last')")
    told = [one["payload"] for one in house.get("/api/state?filter=zigbee2mqtt/Hall%20lamp/set")]
    check(told == ['{"state":"ON"}'], f"the lamp was told {told}")


def sets_an_input(page, house):
    page.open(house.address + "/inputs")
    page.until("the input", "document.querySelector(\"button[aria-label='Who is there: away']\")")
    page.click("button[aria-label='Who is there: away']")
    page.until("it to be set", "document.querySelector(\"button[aria-label='Who is there: away']\").getAttribute('aria-pressed') === 'true'")
    inputs = {one["name"]: one["value"] for one in house.get("/api/inputs")}
    check(inputs["house"] == "away", f"the input isn't set: {inputs}")


def lets_a_rule_go_on(page, house):
    # The lamp has to have said something else than what the rule told it, once the echo of that is over.
    def is_overridden():
        house.publish("zigbee2mqtt/Hall lamp", {"state": "OFF", "brightness": 10, "color_temp": 370})
        house.publish("zigbee2mqtt/Hall lamp", {"state": "ON", "brightness": 90, "color_temp": 370})
        return any(one["kind"] == "override" for one in house.get("/api/now")["waiting"])

    wait_for("the rule to yield", is_overridden)
    page.open(house.address + "/rules/devices:hall-light")
    page.until("the rule to yield", "document.querySelector('#main').innerText.includes('yields')")
    page.screenshot(os.path.join(PICTURES, "rule-overridden-1440-light.png"), 1600)
    page.click("[data-post$='/resume']")
    page.until("it to go on", "!document.querySelector(\"[data-post$='/resume']\")")
    check(not any(one["kind"] == "override" for one in house.get("/api/now")["waiting"]), "it still yields")


def leads_from_the_graph_to_what_it_shows(page, house):
    page.open(house.address + "/graph")
    page.until("the picture", "document.querySelectorAll('#picture [data-box]').length > 10")
    for kind, where in (("rule", "/rules/"), ("topic", "/topics"), ("device", "/devices/"), ("invariant", "/graph?rule=")):
        href = page.run(f"document.querySelector('#picture a.{kind}').getAttribute('href')")
        check(href.startswith(where), f"a {kind} leads to {href}")
    page.follow("document.querySelector('#picture a.invariant')")
    check(page.run("[...document.querySelectorAll('#picture a.invariant')].map(e => e.getAttribute('aria-label'))")[0].find("The pump never runs") >= 0, page.text())
    rules = page.run("[...document.querySelectorAll('#picture a.rule')].map(e => e.getAttribute('href'))")
    check(any("water-garden" in rule for rule in rules), f"the rule that commands the pump isn't there: {rules}")
    check(not any("door-alarm" in rule for rule in rules), f"a rule is there that has nothing to do with it: {rules}")
    page.open(house.address + "/graph")
    page.run("document.querySelector('#picture a.rule').focus()")
    stands_out = "document.querySelectorAll('#picture .join.lit').length > 0"
    page.until("what it is joined to to stand out", stands_out)
    # News puts the picture in place again, and nothing of it goes out.
    page.run("window.isNews = false; document.addEventListener('refreshed', () => { window.isNews = true; })")
    house.write("rules/later.yaml", "rules:\n  later: { when: home/hall/late, then: { home/hall/lamp: 1 } }\n")
    page.until("the picture to show another rule", "window.isNews && document.querySelector('#picture').innerHTML.includes('home/hall/late')")
    check(page.run(stands_out), "with the news, what has the focus no longer stands out")
    house.remove("rules/later.yaml")
    page.run("document.querySelector('[name=rule]').value = 'hall-light'")
    page.follow("document.querySelector('form.filter button')")
    check(page.run("document.querySelectorAll('#picture a.rule').length") == 2, page.text())
    page.follow("document.querySelector('#picture a.device')")
    check(page.run("location.pathname").startswith("/devices/") and "Properties" in page.text(), page.text())


def says_when_the_daemon_is_away(page, house):
    page.open(house.address + "/")
    page.until("the stream", "document.querySelector('#link').dataset.state === 'open'")
    page.run("window.isSame = true")
    house.stop()
    page.until("the banner", "!document.querySelector('#cut').hidden && document.querySelector('#cut').innerText.includes('how things were at')")
    page.screenshot(os.path.join(PICTURES, "cut-off-1440-light.png"), 700)
    house.start()
    house.publish("home/garden/gate", "back again")
    page.until("the banner to go", "document.querySelector('#cut').hidden", 40)
    page.until("what happened meanwhile", "document.querySelector('#recent').innerText.includes('back again')")
    check(page.run("window.isSame === true"), "the page was loaded again")
    # The browser says so itself where nobody listens.
    page.complaints()


def shares_one_stream(browser, page, house):
    other = browser.page()
    page.open(house.address + "/")
    other.open(house.address + "/topics")
    for one in (page, other):
        one.until("the stream", "document.querySelector('#link').dataset.state === 'open'")
    streams = page.run("performance.getEntriesByType('resource').filter(e => e.name.includes('/api/events')).length")
    check(streams == 0, "a page opened a stream of its own beside the shared one")
    other.close()


def works_by_keyboard(page, house):
    page.open(house.address + "/rules")
    page.key("Tab")
    check(page.run("document.activeElement.className") == "skip", "the first Tab doesn't lead to the skip link")
    page.key("Enter", text="\r")
    page.until("the content to have the focus", "location.hash === '#main'")
    seen = set()
    for _ in range(40):
        page.key("Tab")
        seen.add(page.run("(() => { const e = document.activeElement; return e.name || e.className || e.id || e.tagName; })()"))
    check({"text", "tag", "outcome", "rule"} <= seen, f"Tab doesn't reach all: {seen}")


def is_of_use_without_scripts(page, house):
    page.ask("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.ask("Page.navigate", url=house.address + "/")
        wait_for("the page", lambda: "Without JavaScript" in page.text("body"))
        told = page.text("body")
        check("homerule why-not RULE" in told and "heating-report" in told, told[:600])
    finally:
        page.ask("Emulation.setScriptExecutionDisabled", value=False)


def asks_for_the_token(page, program):
    house = House(program, TOKEN)
    try:
        page.size(1440, 900)
        page.colours("light")
        page.open(house.address + "/rules?text=bell")
        page.until("the form", "document.querySelector('#token')")
        page.screenshot(os.path.join(PICTURES, "sign-in-1440-light.png"), 700)
        # The browser reports a status that isn't 2xx as an error.
        page.complaints()

        def give(token):
            page.run(f"document.querySelector('#token').value = {token!r}; document.querySelector('form').requestSubmit()")

        give("wrong")
        page.until("the refusal", "document.querySelector('#wrong')")
        give(TOKEN)
        page.until("the view that was wanted", f"location.pathname + location.search === '/rules?text=bell' && {READY}")
        check("Door bell" in page.text() and "Sign out" in page.text(".tools"), page.text())
        check(page.run("document.cookie") == "", "a script can read the cookie")
        page.complaints()
        page.open(house.address + "/rules/doors:bell")
        page.click("[role=switch]")
        page.until("the switch to go", "document.querySelector('[role=switch]')?.getAttribute('aria-checked') === 'false'")
        check(not page.complaints(), "the page complains")
    finally:
        house.close()


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "target", "debug", "homerule")
    is_strict = os.environ.get("CI") == "true"
    if not chromium():
        print("The page isn't tried: there's no chromium here.")
        return 1 if is_strict else 0
    if not os.path.exists(AXE) and is_strict:
        print(f"There's no {AXE}: .ci/run fetches it.")
        return 1
    began = time.monotonic()
    house, browser = House(program), Browser()
    try:
        house.write("rules/broken.yaml", BROKEN)
        house.live_a_day()
        page = browser.page()
        page.open(house.address + "/")
        for step in (
            take_pictures,
            goes_from_view_to_view,
            shows_what_happens_without_a_reload,
            switches_a_rule,
            shows_a_broken_file_while_it_is_broken,
            asks_why_not_on_the_timeline,
            asks_about_a_moment_of_a_rule,
            tries_a_change_and_saves_it,
            commands_a_device,
            sets_an_input,
            lets_a_rule_go_on,
            leads_from_the_graph_to_what_it_shows,
            works_by_keyboard,
            is_of_use_without_scripts,
            says_when_the_daemon_is_away,
        ):
            at = time.monotonic()
            step(page, house)
            print(f"ok {step.__name__} ({time.monotonic() - at:.1f} s)", flush=True)
        shares_one_stream(browser, page, house)
        print("ok shares_one_stream", flush=True)
        asks_for_the_token(page, program)
        print("ok asks_for_the_token", flush=True)
        complaints = page.complaints()
        check(not complaints, f"the page complains: {complaints}")
        check(page.run("document.title") != "owned", "a payload ran")
        foreign = [url for url in page.requests if not url.startswith(("http://127.0.0.1:", "data:", "about:"))]
        check(not foreign, f"something comes from outside: {foreign}")
    except Failed as failed:
        print(f"FAILED: {failed}")
        return 1
    finally:
        browser.close()
        house.close()
    print(f"The page does all of that in a browser ({time.monotonic() - began:.0f} s).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
