"""A real browser opens the page: nothing is asked of any network, nothing fails, everything is drawn,
and the controls do what they say. Skipped where chromium cannot start."""

import json
import pathlib
import shutil
import tempfile
import time
import unittest

from support import Page, QSOHOST, make_run

import subprocess

try:
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.by import By
except ImportError:
    webdriver = None

FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
         "--host-resolver-rules=MAP * ~NOTFOUND")  # fmt: skip


def start_browser(downloads):
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if webdriver is None or chromium is None or driver is None:
        raise unittest.SkipTest("needs python3-selenium, chromium and chromium-driver")
    options = Options()
    options.binary_location = chromium
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={downloads}/profile")
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    try:
        return webdriver.Chrome(service=Service(driver), options=options)
    except WebDriverException as error:
        raise unittest.SkipTest(f"chromium cannot start: {error.msg}") from error


class Browser(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-report-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.browser = start_browser(cls.folder)
        cls.addClassCleanup(cls.browser.quit)
        run = make_run(cls.folder)
        subprocess.run([QSOHOST, "report", run], check=True, capture_output=True)
        cls.page = Page(run / "report.html")

    def setUp(self):
        self.resize(1400)
        self.browser.get_log("performance")
        self.browser.get(self.page.path.as_uri())

    def resize(self, width, scheme="light"):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})  # fmt: skip
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})  # fmt: skip

    def js(self, code, *args):
        return self.browser.execute_script(code, *args)

    def find(self, css):
        return self.browser.find_element(By.CSS_SELECTOR, css)

    def click(self, css):
        element = self.find(css)
        self.js("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        element.click()

    def wait_for(self, condition, what):
        end = time.monotonic() + 60
        while time.monotonic() < end:
            value = condition()
            if value:
                return value
            time.sleep(0.05)
        self.fail(f"waited in vain for {what}")

    def saved(self, name):
        """Text of a file that a click has saved."""
        path = self.folder / name
        self.wait_for(path.exists, name)
        return path.read_bytes().decode()

    def test_nothing_is_said_on_the_console_and_nothing_is_asked_of_the_network(self):
        self.resize(1400, "dark")
        self.click("#lc-worst")
        self.assertEqual(self.browser.get_log("browser"), [])
        asked = []
        for entry in self.browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.append(message["params"]["request"]["url"])
        others = [url for url in asked if not url.startswith(("data:", "blob:"))]
        self.assertEqual(others, [self.page.path.as_uri()])

    def test_the_policy_stops_other_scripts(self):
        self.js("const s = document.createElement('script'); s.textContent = 'window.evil = 1';"
                "document.body.append(s)")  # fmt: skip
        self.assertIsNone(self.js("return window.evil ?? null"))

    def test_every_section_is_drawn(self):
        shown = self.js("return [...document.querySelectorAll('nav a')].map(a => a.hash.slice(1))")
        self.assertEqual(shown, self.page.sections())
        self.assertIn("light-curves", shown)
        for name, (svg, data) in self.page.figures().items():
            with self.subTest(figure=name):
                self.assertEqual(svg.tag, "{http://www.w3.org/2000/svg}svg")
                self.assertGreater(len(data.splitlines()), 1)
                box = self.js("const b = arguments[0].getBoundingClientRect();"
                              "return [b.width, b.height]", self.find(f"#figure-{name} svg"))  # fmt: skip
                self.assertGreater(min(box), 100)

    def painted(self, css):
        """How many pixels of a canvas are not transparent."""
        return self.js(
            "const c = document.querySelector(arguments[0] + ' canvas');"
            "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
            "let n = 0; for (let i = 3; i < d.length; i += 4) n += d[i] > 0; return n", css,
        )  # fmt: skip

    def picture(self, css):
        return self.js("return document.querySelector(arguments[0] + ' canvas').toDataURL()", css)

    def test_light_curves_are_drawn_searched_and_zoomed(self):
        self.wait_for(lambda: self.painted("#lc-plot") > 1000, "the light curve")
        self.assertGreater(self.painted("#lc-residuals"), 500)
        first = self.picture("#lc-plot")
        self.click("#lc-next")
        self.wait_for(lambda: self.picture("#lc-plot") != first, "the next light curve")
        ids = self.js("return [...document.querySelectorAll('#lc-list option')]"
                      ".map(o => o.textContent)")  # fmt: skip
        wanted = [text.split()[0] for text in ids][-1]
        box = self.find("#lc-search")
        box.clear()
        box.send_keys(wanted + "\n")
        panel = self.find("#light-curves")
        self.wait_for(lambda: wanted in panel.text, "the object searched for")
        for button in ("#lc-worst", "#lc-removed", "#lc-flagged", "#lc-previous"):
            self.click(button)
        before = self.picture("#lc-plot")
        plot = self.find("#lc-plot .u-over")
        self.js("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", plot)
        drag = ActionChains(self.browser).move_to_element_with_offset(plot, -100, 0)
        drag.click_and_hold().move_by_offset(120, 0).release().perform()
        self.wait_for(lambda: self.picture("#lc-plot") != before, "the zoom")
        ActionChains(self.browser).double_click(plot).perform()

    def test_figures_and_tables_are_saved(self):
        name = "outcomes-funnel"
        self.click(f"#figure-{name} button[data-save=csv]")
        self.assertEqual(self.saved(f"{name}.csv"), self.page.figures()[name][1])
        self.click(f"#figure-{name} button[data-save=svg]")
        svg = self.saved(f"{name}.svg")
        self.assertTrue(svg.startswith("<?xml"))
        self.assertIn("<style", svg)
        self.click(".table[data-name=outcomes-1] button[data-save=csv]")
        names, *rows = self.page.tables()["Stages"]
        lines = self.saved("outcomes-1.csv").splitlines()
        self.assertEqual(lines[0], ",".join(names))
        self.assertEqual(lines[1:], [",".join(c.replace(",", "") for c in row) for row in rows])

    def test_it_fits_a_telephone_and_follows_the_colour_scheme(self):
        papers = []
        for scheme in ("light", "dark"):
            for width in (1400, 400):
                self.resize(width, scheme)
                self.assertLessEqual(self.js("return document.documentElement.scrollWidth"), width)
            papers.append(self.js("return getComputedStyle(document.body).backgroundColor"))
        self.assertNotEqual(*papers)


if __name__ == "__main__":
    unittest.main()
