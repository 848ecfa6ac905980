#!/usr/bin/env python3
"""Looks at the dashboard in a real browser, as one scenario has it. Speaks with the test that serves it: a line `stop`
or `start` asks for the server to be taken away or brought back, and the answer is a line.

    check_page.py URL SCENARIO [DIRECTORY FOR SCREENSHOTS]
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from browser import Browser  # noqa: E402

PANELS = ["drift", "accuracy", "timeline", "breakdown", "metrics", "load", "trainings", "log", "alerts", "pipeline"]


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def ask(word):
    print(word, flush=True)
    sys.stdin.readline()


class Look:
    def __init__(self, url, shots):
        self.url, self.shots, self.browser = url, shots, Browser()

    def shot(self, name, full=True):
        if self.shots:
            self.browser.screenshot(os.path.join(self.shots, name + ".png"), full)

    def nothing_wrong(self, allowed=()):
        problems = [text for text in self.browser.problems() if not any(part in text for part in allowed)]
        check(not problems, f"the console says: {problems}")
        check(not self.browser.run("window.hacked"), "a name was run as script")

    def fits(self, name):
        wide = self.browser.run("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        check(wide <= 0, f"{name}: the page is {wide} px wider than the screen")

    def labelled(self):
        """What a screen reader needs: names of controls, of pictures, and a table behind every chart."""
        missing = self.browser.run("""
            [...document.querySelectorAll('input, select, button, a, [tabindex="0"]')].filter((node) => node.offsetParent
              && !(node.getAttribute('aria-label') || node.textContent.trim() || (node.labels && node.labels.length)
              || node.getAttribute('aria-labelledby'))).map((node) => node.outerHTML.slice(0, 120))
            .concat([...document.querySelectorAll('svg[role=img]')].filter((node) => !node.getAttribute('aria-label'))
              .map((node) => node.outerHTML.slice(0, 120)))""")
        check(missing == [], f"without a name: {missing}")


def empty(look):
    b = look.browser
    b.open(look.url)
    b.wait("document.querySelector('.verdict')")
    text = b.text()
    check("No decisions yet." in text, text)
    check("The first decision comes with the first boundary" in text, text)
    b.open(look.url + "?model=nobody")
    b.wait("document.body.innerText.includes('Nothing is known of a model called nobody')")
    look.labelled()
    look.shot("empty")
    look.nothing_wrong()


def one(look):
    b = look.browser
    b.open(look.url)
    b.wait("document.getElementById('pipeline') && document.querySelectorAll('.metric svg').length > 0")
    text = b.text()
    check("driftgate pause --model tft-prod" in b.run("document.querySelector('.stop').textContent"), "how to stop it")
    for words in ["is below its agreed accuracy", "Drift score", "Buffer above SLA", "Since last training",
                  "Trainings this week", "Next training", "Load now", "Last 7 days", "wanted and held", "SLA breaches"]:
        check(words in text, f"{words!r} is not on the page: {text[:1500]}")
    for panel in PANELS:
        section = f"document.getElementById('{panel}')"
        check(b.run(f"{section}.querySelector('.summary').textContent.length > 3"), f"{panel} has no summary")
        check(not b.run(f"!!{section}.querySelector('.empty')"), f"{panel} is empty")
        links = b.run(f"[...{section}.querySelectorAll('.links a')].map((a) => a.href)")
        check(len(links) == 2, f"{panel} offers {links}")
        for link in links:
            check(b.run(f"fetch({link!r}).then((r) => r.ok && r.text()).then((t) => t && t.length > 20)"), link)
    # Behind each chart, a table.
    for panel in ["drift", "accuracy", "timeline", "breakdown", "metrics", "load"]:
        b.run(f"document.querySelector('#{panel} details').open = true")
        b.wait(f"document.querySelectorAll('#{panel} details tbody tr').length > 1", why=f"the table of {panel}")
        b.run(f"document.querySelector('#{panel} details').open = false")
    check(b.run("document.querySelectorAll('#drift .mark').length") > 2, "no marks for trainings")
    check(b.run("document.querySelectorAll('#load .window-edge').length") > 1, "the next window is not shown")
    check(b.run("document.querySelector('#load .quiet-edge').getAttribute('d').length") > 10, "no quiet hours")
    check("weekly limit" in b.run("document.getElementById('timeline').innerText").lower(), "no safeguard is named")
    check("roll back" in b.run("document.getElementById('trainings').innerText"), "no roll-back is recommended")
    look.labelled()
    look.fits("wide")
    look.shot("model-light")

    # Focus, what is open, and what is being copied outlive news.
    b.run("document.querySelector('.stop summary').focus(); document.querySelector('.stop').open = true; refresh()")
    check(b.run("document.activeElement.parentNode.className") == "stop", "focus was lost")
    check(b.run("document.querySelector('.stop').open"), "what was open is closed")
    b.run("getSelection().selectAllChildren(document.querySelector('.stop code')); refresh()")
    check(b.run("String(getSelection())").startswith("driftgate pause"), "what was selected is gone")
    b.run("getSelection().removeAllRanges(); document.querySelector('.stop').open = false; refresh()")

    # By keyboard: the chart is read decision by decision.
    b.run("document.querySelector('[data-key=drift-chart]').focus()")
    b.key("ArrowLeft")
    b.wait("!document.querySelector('#drift .tip').hidden && /score/.test(document.querySelector('#drift .tip').textContent)")
    b.key("Escape")
    b.run("document.activeElement.blur()")

    # The log: search, and a permalink to the evidence.
    b.run("""{ const box = document.getElementById('log-q'); box.value = 'weekly'; box.dispatchEvent(new Event('input')); }""")
    b.wait("[...document.querySelectorAll('#log tbody tr')].length > 0 && "
           "[...document.querySelectorAll('#log tbody tr')].every((row) => /Weekly limit/.test(row.textContent))")
    b.run("document.querySelector('#log tbody a').click()")
    b.wait("document.querySelectorAll('#detail tbody tr').length > 3", why="the evidence of a decision")
    evidence = b.run("document.getElementById('detail').innerText")
    check("[object" not in evidence and "null" not in evidence, evidence)
    check("Prediction error" in evidence and "plain" in evidence, f"no terms in the evidence: {evidence}")
    link = b.run("location.href")
    check("decision=" in link, link)
    look.shot("decision", full=False)
    b.open(link)
    b.wait("document.querySelectorAll('#detail tbody tr').length > 3", why="the evidence, by its permalink")
    b.key("Escape")
    b.wait("!document.getElementById('detail').open && !location.search.includes('decision')")

    # Range and zone are in the address.
    b.run("{ const box = document.getElementById('range'); box.value = '28'; box.dispatchEvent(new Event('change')); }")
    b.wait("location.search.includes('range=28') && /28 days/.test(document.getElementById('drift').innerText)")
    b.run("{ const box = document.getElementById('zone'); box.value = 'local'; box.dispatchEvent(new Event('change')); }")
    b.wait("location.search.includes('zone=local') && /local time/.test(document.body.innerText)")
    look.nothing_wrong()
    for name, options in [("model-dark", {"dark": True}), ("model-small", {"width": 390, "height": 844, "mobile": True}),
                          ("model-small-dark", {"width": 390, "height": 844, "mobile": True, "dark": True})]:
        b.open(look.url, **options)
        b.wait("document.querySelectorAll('.metric svg').length > 0")
        b.pump(0.5)
        look.fits(name)
        look.shot(name)
        look.nothing_wrong()


def thousand(look):
    b = look.browser
    b.open(look.url)
    b.wait("document.querySelectorAll('#fleet tbody tr').length === 100", seconds=60)
    check("1,000 of 1,000 models" in b.text(), b.text()[:800])
    states = b.run("[...document.querySelectorAll('#fleet tbody tr')].map((row) => row.cells[1].innerText)")
    check("Critical" in states[0], f"the worst is not first: {states[:3]}")
    look.labelled()
    look.fits("wide")
    look.shot("fleet-light", full=False)
    b.run("[...document.querySelectorAll('#fleet button')].find((node) => /Show all/.test(node.textContent)).click()")
    b.wait("document.querySelectorAll('#fleet tbody tr').length === 1000")
    b.run("{ const box = document.getElementById('fleet-q'); box.value = 'model-0777'; box.dispatchEvent(new Event('input')); }")
    b.wait("document.querySelectorAll('#fleet tbody tr').length === 1")
    b.run("document.querySelector('#fleet tbody a').click()")
    b.wait("document.querySelector('h1') && /model-0777/.test(document.querySelector('h1').textContent)")
    b.open(look.url, width=390, height=844, mobile=True, dark=True)
    b.wait("document.querySelectorAll('#fleet tbody tr').length === 100")
    look.fits("small")
    look.shot("fleet-small-dark", full=False)
    look.nothing_wrong()


def hostile(look):
    b = look.browser
    b.open(look.url)
    b.wait("document.querySelectorAll('#fleet tbody tr').length > 5")
    names = b.run("[...document.querySelectorAll('#fleet tbody a')].map((a) => a.textContent)")
    check(any("<img" in name for name in names), f"names are not shown as they are: {names}")
    check(b.run("document.querySelectorAll('main img, main script, main iframe').length") == 0, "a name became markup")
    look.fits("wide")
    check(any(name == "⟨U+202E⟩gnp.exe" for name in names), f"a name turns the direction of writing: {names}")
    check(any("blank" in name for name in names) and all(name.strip() for name in names), f"a name cannot be seen: {names}")
    look.shot("hostile")
    for index in range(len(names)):
        b.open(look.url)
        b.wait(f"document.querySelectorAll('#fleet tbody a').length > {index}")
        b.run(f"document.querySelectorAll('#fleet tbody a')[{index}].click()")
        b.wait("document.getElementById('pipeline') && document.querySelector('#log tbody tr')",
               why=f"the page of {names[index]!r}")
        look.fits(names[index])
        check(b.run("document.querySelectorAll('main img, main script, main iframe').length") == 0, names[index])
        check(b.run("[...document.querySelectorAll('main a')].every((a) => /^https?:/.test(a.protocol))"), "a link is script")
        look.nothing_wrong()
    csv = b.run("fetch('api/v1/models?format=csv').then((r) => r.text())")
    check("\n'=1+1" in csv and "\n=1+1" not in csv, "a spreadsheet would take a name for a formula")


def restart(look):
    b = look.browser
    b.open(look.url)
    b.wait("document.getElementById('pipeline')")
    b.wait("document.getElementById('live-text').textContent === 'live'")
    ask("stop")
    b.wait("/stale since/.test(document.getElementById('live-text').textContent)", seconds=60)
    check(b.run("!!document.querySelector('#drift svg')"), "what was known is gone from the page")
    look.shot("stale", full=False)
    ask("start")
    b.wait("document.getElementById('live-text').textContent === 'live' && !document.querySelector('.banner.bad')", seconds=60)
    look.nothing_wrong(allowed=("ERR_CONNECTION_REFUSED", "ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RESET", "ERR_EMPTY_RESPONSE"))


def reload(look):
    """Thresholds of a configuration that was taken up are on the page at once."""
    b = look.browser
    b.open(look.url)
    b.wait("document.getElementById('pipeline')")
    check("critical 0.10" in b.run("document.querySelector('#drift svg').textContent"), "the threshold of before")
    check("target 88" in b.text(), "the target of before")
    ask("reload")
    b.wait("/critical 0.20/.test(document.querySelector('#drift svg').textContent)")
    check("warning 0.15" in b.run("document.querySelector('#drift svg').textContent"), "the warning threshold")
    check("SLA 75" in b.run("document.querySelector('#accuracy svg').textContent"), "the target in the chart")
    check("target 75" in b.text(), "the target in the tiles")
    look.nothing_wrong()


def main():
    url, scenario = sys.argv[1], sys.argv[2]
    look = Look(url, sys.argv[3] if len(sys.argv) > 3 else None)
    try:
        {"empty": empty, "one": one, "thousand": thousand, "hostile": hostile, "restart": restart,
         "reload": reload}[scenario](look)
        print("passed", flush=True)
    except (AssertionError, RuntimeError) as error:
        look.shot("failed-" + scenario)
        print("FAILED", scenario, error, flush=True)
        sys.exit(1)
    finally:
        look.browser.close()


main()
