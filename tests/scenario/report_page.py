#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The HTML report in a real browser: it loads nothing, complains of nothing, filters, and shows hostile data as text.

$TURBOCI is the program. $TURBOCI_PICTURES, if set, is a directory for pictures of the pages. Skipped without Chromium.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

import browser

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TURBOCI = os.path.realpath(os.environ["TURBOCI"])
PICTURES = os.environ.get("TURBOCI_PICTURES")
ESCAPE, OVERRIDE = "\x1b", "\u202e"
HOSTILE = "</script></pre></title><img src=x onerror=\"window.pwned=1\"><svg onload='window.pwned=1'> ]]> --> &lt; ::error::x"


def make_page(directory, name, plan, jobs=2):
    """Runs a plan and returns the file of its report."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("TURBOCI_")}
    env["TURBOCI_STORE"] = os.path.join(directory, name + ".db")
    page = os.path.join(directory, name + ".html")
    subprocess.run([TURBOCI, "plan", "create", name, "-f", "-"], env=env, check=True, text=True, input=plan,
                   stdout=subprocess.DEVNULL)
    subprocess.run([TURBOCI, "run", "-j", str(jobs), "--report", "html=" + page], env=env, cwd=directory,
                   stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return page


def plan_of_thousand():
    checks, stages = [], []
    kinds = ("build", "test", "analysis", "release")
    for i in range(1000):
        kind = kinds[i % 4]
        check = f"{kind}/service-{i // 4:03d}"
        before = checks[i - 1]["id"] if i % 4 else checks[i - 40]["id"] if i >= 40 else None
        command = "seq -f 'line %g: <b>what</b> was done & why' 40; exit 1" if i % 97 == 13 else "true"
        checks.append({"id": check, "kind": kind, "state": "PLANNED"})
        stages.append({"id": f"{kind}-service-{i // 4:03d}", "args": {"command": command}, "assignments": [check],
                       "dependencies": [f"check:{before}"] if before else []})
    return json.dumps({"checks": checks, "stages": stages})


def hostile_plan():
    says = HOSTILE + f" {ESCAPE}[31mred{ESCAPE}]0;title\x07 {OVERRIDE}txt.exe"
    return json.dumps({
        "checks": [{"id": HOSTILE, "kind": HOSTILE, "state": "PLANNED"}],
        "stages": [
            {"id": HOSTILE, "args": {"command": ["sh", "-c", 'printf "%s\\n" "$1"; exit 1', "sh", says]},
             "assignments": [HOSTILE]},
            {"id": "after" + HOSTILE, "args": {"command": "true"}, "dependencies": ["check:" + HOSTILE]}],
        "plan": {HOSTILE: HOSTILE}})


class ReportPage(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        directory = tempfile.TemporaryDirectory(prefix="turboci-")
        cls.addClassCleanup(directory.cleanup)
        cls.directory = directory.name
        cls.failed = make_page(cls.directory, "shop", (ROOT / "examples/reports/plan.yaml").read_text(), 3)
        cls.large = make_page(cls.directory, "monorepo", plan_of_thousand(), 4)
        cls.hostile = make_page(cls.directory, "hostile", hostile_plan())
        cls.browser = browser.Browser()
        cls.addClassCleanup(cls.browser.close)

    def open(self, page, **how):
        self.browser.open(page, **how)
        self.assertEqual(self.browser.requests(), [pathlib.Path(page).absolute().as_uri()])
        self.assertEqual(self.browser.complaints(), [])

    def value(self, expression):
        return self.browser.value(expression)

    def shown(self):
        """The nodes that the list of all nodes shows."""
        return self.value("[...document.querySelectorAll('#nodes tr[id]')].filter((row) => row.checkVisibility())"
                          ".map((row) => row.querySelector('bdi').textContent)")

    def choose(self, script):
        self.value(f"(() => {{ const f = document.getElementById('filters'); {script};"
                   " f.dispatchEvent(new Event('input', {bubbles: true})); })()")

    def test_it_loads_nothing_and_complains_of_nothing_and_fits_every_window(self):
        for page in (self.failed, self.large, self.hostile):
            for width in (1280, 400):
                for dark in (False, True):
                    with self.subTest(page=page, width=width, dark=dark):
                        self.open(page, width=width, dark=dark)
                        self.assertLessEqual(self.value("document.documentElement.scrollWidth"), width)
                        background = self.value("getComputedStyle(document.body).backgroundColor")
                        self.assertEqual(background, "rgb(13, 17, 23)" if dark else "rgb(246, 248, 250)")
                        self.picture(page, width, dark)

    def picture(self, page, width, dark):
        if PICTURES:
            name = f"{pathlib.Path(page).stem}-{width}-{'dark' if dark else 'light'}.png"
            # Of a very long page the beginning is enough.
            whole = self.value("document.documentElement.scrollHeight") < 10_000
            self.browser.picture(os.path.join(PICTURES, name), whole)

    def test_it_tells_first_what_failed_and_why(self):
        self.open(self.failed)
        self.assertEqual(self.value("document.querySelector('.verdict').textContent"), "failed")
        cards = self.value("[...document.querySelectorAll('#failed article')].map((card) => card.innerText)")
        self.assertEqual(len(cards), 2)
        self.assertIn("check:build/arm64", cards[0])
        self.assertIn("exit status 2", cards[0])
        self.assertIn("error: no member named “total” in struct Cart<Item>", cards[0])
        self.assertIn("Did not run because of this: check:unit/arm64", cards[0])
        self.assertIn("1 of 61 failed", cards[1])
        bars = self.value("[...document.querySelectorAll('.timeline tbody tr')].map((row) =>"
                          " [row.querySelector('bdi').textContent, row.querySelectorAll('rect:not(.wait)').length])")
        self.assertEqual(len(bars), 15)
        self.assertEqual(dict(bars)["integration"], 2)
        critical = self.value("[...document.querySelectorAll('.path li bdi')].map((name) => name.textContent)")
        self.assertEqual(critical[0], "stage:fetch")
        self.assertGreaterEqual(len(critical), 2)

    def test_the_bars_of_the_timeline_lie_where_the_times_say(self):
        self.open(self.failed)
        places = self.value("Object.fromEntries([...document.querySelectorAll('.timeline tbody tr')].map((row) => {"
                            " const svg = row.querySelector('svg').getBoundingClientRect();"
                            " const bar = [...row.querySelectorAll('rect:not(.wait)')].pop().getBoundingClientRect();"
                            " return [row.querySelector('bdi').textContent,"
                            " [(bar.left - svg.left) / svg.width, (bar.right - svg.left) / svg.width, bar.height]]; }))")
        for name, (left, right, height) in places.items():
            self.assertTrue(-0.02 <= left < right <= 1.02 and height > 4, (name, left, right, height))
        self.assertLess(places["fetch"][1], places["unit-1"][0])
        self.assertLess(places["compile-linux"][1], places["browser-firefox"][0] + 0.01)

    def test_filters_leave_what_was_asked_for(self):
        self.open(self.failed)
        everything = self.shown()
        self.assertEqual(len(everything), 36)
        self.choose("f.t.value = 'arm64'")
        self.assertEqual(set(self.shown()), {"check:build/arm64", "check:unit/arm64", "stage:compile-arm64", "stage:unit-arm64",
                                             "stage:make-package"})
        self.assertEqual(self.value("document.querySelector('output').value"), "5 of 36 nodes")
        self.choose("f.t.value = ''; f.querySelector('[value=failed]').checked = true")
        self.assertEqual(set(self.shown()), {"check:build/arm64", "check:integration", "stage:compile-arm64", "stage:integration"})
        self.choose("f.k.value = 'build'")
        self.assertEqual(set(self.shown()), {"check:build/arm64", "stage:compile-arm64"})
        self.choose("f.querySelector('[value=failed]').checked = false; f.k.selectedIndex = 0; f.d.value = '1000'")
        # What did not run took no time; how long the others took is the machine's.
        self.assertNotIn("stage:deploy", self.shown())
        slow = self.value("[...document.querySelectorAll('#nodes tr[id]')].filter((row) => row.dataset.d >= 1000).length")
        self.assertEqual(len(self.shown()), slow)
        self.choose("f.d.value = '0'; f.t.value = 'no such node'")
        self.assertEqual(self.shown(), [])
        self.assertEqual(self.value("document.querySelectorAll('main > section:not(.hidden)').length"), 0)
        self.value("document.querySelector('#filters [type=reset]').click()")
        self.value("new Promise((done) => setTimeout(done, 50))")
        self.assertEqual(self.shown(), everything)
        self.assertEqual(self.browser.complaints(), [])

    def test_it_is_whole_without_scripts(self):
        self.open(self.failed, script=False)
        self.assertFalse(self.value("document.getElementById('filters').checkVisibility()"))
        self.assertEqual(len(self.shown()), 36)
        # Every link leads somewhere, and unfolds what hides it.
        self.assertEqual(self.value("[...document.querySelectorAll('a')].map((a) => a.getAttribute('href'))"
                                    ".filter((href) => !document.getElementById(href.slice(1)))"), [])
        self.open(self.large, script=False)
        self.value("document.querySelector('.timeline tbody a').click()")
        self.assertTrue(self.value("document.querySelector(':target').checkVisibility()"))

    def test_hostile_data_stays_text(self):
        self.open(self.hostile)
        self.assertEqual(self.value("[document.images.length, document.scripts.length, typeof window.pwned,"
                                    " document.querySelectorAll('[onload], [onerror]').length]"), [0, 1, "undefined", 0])
        self.assertEqual(self.value("document.title"), "hostile: failed")
        self.assertEqual(self.value("document.querySelector('#failed h3 bdi').textContent"),
                         "check:" + HOSTILE[:73] + "…")
        self.assertEqual(sorted(self.shown()), sorted(["check:" + HOSTILE, "stage:" + HOSTILE, "stage:after" + HOSTILE]))
        log = self.value("document.querySelector('.log pre').textContent")
        self.assertEqual(log, HOSTILE + " red\\x1b]0;title\\x07 \\u{202e}txt.exe")
        self.assertIn(HOSTILE, self.value("document.querySelector('.facts').textContent").replace("…", HOSTILE[79:]))
        self.choose("f.k.selectedIndex = 1")
        self.assertEqual(self.browser.complaints(), [])

    def test_its_policy_would_stop_what_got_in_all_the_same(self):
        self.open(self.hostile)
        self.value("document.body.insertAdjacentHTML('beforeend', '<img src=https://localhost:1/x onerror=\"window.pwned = 1\">"
                   "<p id=own style=\"color: red\" onclick=\"window.pwned = 1\">x</p>')")
        self.value("document.body.append(Object.assign(document.createElement('script'), {text: 'window.pwned = 1'}))")
        self.value("document.getElementById('own').click()")
        self.assertEqual(self.value("typeof window.pwned"), "undefined")
        self.assertNotEqual(self.value("getComputedStyle(document.getElementById('own')).color"), "rgb(255, 0, 0)")
        refused = self.browser.complaints()
        self.assertGreaterEqual(len(refused), 3, refused)
        self.assertTrue(all("Content Security Policy" in text for text in refused), refused)

    def test_a_thousand_stages_are_small_and_quick(self):
        size = os.path.getsize(self.large)
        began = time.monotonic()
        self.open(self.large)
        loaded = time.monotonic() - began
        self.assertLess(size, 5_000_000)
        filtering = self.value("(() => { const f = document.getElementById('filters'); const began = performance.now();"
                               " f.t.value = 'service-076'; f.dispatchEvent(new Event('input', {bubbles: true}));"
                               " document.body.offsetHeight; return performance.now() - began; })()")
        self.assertEqual(len(self.shown()), 9)
        print(f"1,000 stages: {size:,} bytes, loaded in {loaded:.2f} s, filtered in {filtering:.0f} ms", file=sys.stderr)
        self.assertLess(filtering, 5000)

    def test_it_prints(self):
        self.open(self.failed, media="print")
        self.assertFalse(self.value("document.querySelector('nav').checkVisibility()"))
        self.assertFalse(self.value("document.getElementById('filters').checkVisibility()"))
        self.assertEqual(self.value("[...document.querySelectorAll('.scroll, .log pre')]"
                                    ".filter((box) => box.scrollHeight > box.clientHeight + 1).length"), 0)
        self.open(self.failed)
        self.assertGreater(len(self.browser.call("Page.printToPDF", printBackground=True)["data"]), 10_000)


if __name__ == "__main__":
    if not browser.PROGRAM:
        print("report_page: skipped: there is no chromium", file=sys.stderr)
        sys.exit(77)  # what CTest and Meson take for skipped
    unittest.main()
