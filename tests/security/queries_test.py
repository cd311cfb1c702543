"""Names in options that want to be more than names: in the query that a service gets they are one
identifier, whatever they hold."""

import http.server
import re
import threading
import unittest
import urllib.parse

from support import HostileTest

NAMES = ("x; DROP TABLE y", 'x"; DROP TABLE y --', "x /* */ UNION SELECT a FROM b", "x' OR '1'='1")
IDENTIFIER = re.compile(r'"(?:[^"]|"")*"')
STAGES = {
    "irsa-ztf": 'url = "{url}"\nquery_by = "ids"\nobjects_table = {name}\nmax_attempts = 1',
    "gaia-epoch": 'archive = "tap"\nurl = "{url}"\ntable = {name}\nmax_attempts = 1',
    "tap-catalog": 'url = "{url}"\ntable = {name}\nid = "a"\nmax_attempts = 1',
}


class Service:
    """Refuses every query, and keeps it."""

    def __enter__(self):
        self.queries = queries = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                for text in (self.path.partition("?")[2], self.rfile.read(length).decode(errors="replace")):
                    queries.extend(urllib.parse.parse_qs(text).get("QUERY", []))
                    queries.extend(re.findall(r'name="QUERY"\r\n\r\n(.*?)\r\n', text, re.S))
                self.send_error(400)

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class QueriesTest(HostileTest):
    def queries(self, use, name):
        quoted = '"' + name.replace('"', '\\"') + '"'
        source = "" if use == "tap-catalog" else '[[stage]]\nuse = "catalog-source"\npath = "catalogue.csv"\n'
        self.write("catalogue.csv", "source_id,ra,dec\n1,10,20\n")
        with Service() as service:
            options = STAGES[use].format(url=service.url, name=quoted)
            self.write("c.toml", f'[chain]\nname = "c"\n{source}[[stage]]\nuse = "{use}"\n{options}\n')
            self.said = self.qsohost("--chain", "c.toml", "--dry-run", 1, expect=None).stderr
        return service.queries

    def test_names_of_tables(self):
        for use in STAGES:
            for name in NAMES:
                with self.subTest(use=use, name=name):
                    queries = self.queries(use, name)
                    if not queries:  # refused before anything is asked
                        self.assertIn("is no name of a table", self.said)
                        continue
                    for query in queries:
                        self.assertIn('"' + name.replace('"', '""') + '"', query)
                        rest = IDENTIFIER.sub("", query)
                        self.assertIsNone(re.search(r"DROP|UNION|;|--|/\*|OR '1'", rest), rest)

    def test_plain_names_stay(self):
        for use in STAGES:
            with self.subTest(use=use):
                self.assertRegex(self.queries(use, "s.t")[0], r"FROM s\.t\b")


if __name__ == "__main__":
    unittest.main()
