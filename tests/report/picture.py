"""The picture of a report in the README and the guides, from the run of the quickstart:

    python3 tests/report/picture.py build/quickstart/run/report.html examples/guides/report.png
"""

import base64
import pathlib
import sys
import tempfile

from browser_test import start_browser

WIDTH, HEIGHT = 1160, 760


def main():
    page, picture = map(pathlib.Path, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        browser = start_browser(folder)
        try:
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False})  # fmt: skip
            browser.get(page.resolve().as_uri())
            browser.execute_script("document.querySelector('#lc-legend')"
                                   ".scrollIntoView({behavior: 'instant'})")  # fmt: skip
            png = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
        finally:
            browser.quit()
    picture.write_bytes(base64.b64decode(png))


if __name__ == "__main__":
    main()
