"""DataLink of `skysim serve`: zips of Gaia's epoch photometry, what is refused, and the traps."""

import base64
import contextlib
import csv
import io
import os
import pathlib
import re
import threading
import time
import unittest
import urllib.parse
import warnings
import zipfile

import numpy as np
from astropy.table import Table

from server import Server
from support import ROOT, SkyTest, read_table

try:
    from astroquery.gaia import GaiaClass
except ImportError:
    GaiaClass = None

DATA, LINKS = "/data-server/data", "/data-server/datalink/links"
RECORDED = pathlib.Path(os.environ.get("QSO_SHARED_DATA", ROOT.parent / "shared/data")) / "archives/gaia"
COLUMNS = (
    "solution_id,source_id,transit_id,"
    "g_transit_time,g_transit_flux,g_transit_flux_error,g_transit_flux_over_error,g_transit_mag,"
    "bp_obs_time,bp_flux,bp_flux_error,bp_flux_over_error,bp_mag,"
    "rp_obs_time,rp_flux,rp_flux_error,rp_flux_over_error,rp_mag,"
    "variability_flag_g_reject,variability_flag_bp_reject,variability_flag_rp_reject,"
    "g_other_flags,bp_other_flags,rp_other_flags,rejected_by_photometry"
)
UNITS = ("sm", *(f"af{n}" for n in range(1, 10)), "bp", "rp")


def dr4_id(source_id):
    return int(source_id) ^ 0x1555555


def query(ids, **more):
    parameters = {
        "RETRIEVAL_TYPE": "EPOCH_PHOTOMETRY",
        "ID": ",".join(map(str, ids)),
        "RELEASE": "Gaia DR3",
        "DATA_STRUCTURE": "INDIVIDUAL",
        "FORMAT": "csv",
        "VALID_DATA": "false",
        "USE_ZIP_ALWAYS": "true",
        **more,
    }
    return urllib.parse.urlencode({name: value for name, value in parameters.items() if value is not None})


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text.decode())))


def numbers(rows, name):
    return [float(row[name] or "nan") for row in rows]


def filled(column):
    return np.ma.filled(np.ma.asarray(column).astype(float), np.nan)


def read_votable(body):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the word electron in units
        return Table.read(io.BytesIO(body), format="votable")


def one_row(table, rows):
    """Of a source whose transits are in two rows: arrays end to end, the earlier row first."""
    rows = sorted(rows, key=lambda k: table["transit_id"][k][0])
    return {name: np.concatenate([table[name][k] for k in rows]) if np.ndim(table[name][rows[0]]) else table[name][rows[0]]
            for name in table.colnames}  # fmt: skip


class DataLinkTest(SkyTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gaia, _ = read_table(cls.sky / "gaia_source.fits")
        epochs, _ = read_table(cls.sky / "gaia_epoch.fits")
        cls.epochs = {int(i): one_row(epochs, np.flatnonzero(epochs["source_id"] == i))
                      for i in np.unique(epochs["source_id"])}  # fmt: skip
        cls.ids = list(cls.epochs)
        cls.without = [int(i) for i in cls.gaia["source_id"] if int(i) not in cls.epochs][:50]

    def ask(self, server, ids, **more):
        """Status, headers, body."""
        return server.get(DATA, data=query(ids, **more).encode())

    def members(self, server, ids, **more):
        """Content of each member by its name."""
        status, headers, body = self.ask(server, ids, **more)
        self.assertEqual((status, headers["Content-Type"]), (200, "application/zip"), body[:500])
        with zipfile.ZipFile(io.BytesIO(body)) as file:
            self.assertIsNone(file.testzip())
            return {name: file.read(name) for name in file.namelist()}

    def assert_transits(self, rows, source_id):
        one = self.epochs[source_id]
        for name in ("transit_id", "g_transit_time", "g_transit_flux_error", "bp_flux", "rp_obs_time", "rp_mag"):
            np.testing.assert_array_equal(numbers(rows, name), np.asarray(one[name], float), name)
        for name in ("g", "bp", "rp"):
            name = f"variability_flag_{name}_reject"
            self.assertEqual([r[name] for r in rows], [{ord("T"): "true", ord("F"): "false"}[f] for f in one[name]])


class Answers(DataLinkTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(Server(cls.sky))

    def test_a_member_for_each_source_that_has_epochs(self):
        ids = self.ids[:40] + self.without[:20]
        found = self.members(self.server, ids)
        self.assertEqual(list(found), [f"EPOCH_PHOTOMETRY-Gaia DR3 {i}.csv" for i in self.ids[:40]])
        lost = 0
        for source_id in self.ids[:40]:
            text = found[f"EPOCH_PHOTOMETRY-Gaia DR3 {source_id}.csv"]
            self.assertEqual(text.split(b"\n")[0].decode(), COLUMNS)
            rows = rows_of(text)
            self.assertEqual({r["source_id"] for r in rows}, {str(source_id)})
            self.assert_transits(rows, source_id)
            lost += sum(r["bp_flux"] == "" for r in rows)
        self.assertGreater(lost, 0)

    def test_bits_of_other_flags(self):
        seen = set()
        for source_id in self.ids[:60]:
            (text,) = self.members(self.server, [source_id]).values()
            one = self.epochs[source_id]
            for k, row in enumerate(rows_of(text)):
                noisy = (one["photometry_flag_noisy_data"][k] == ord("T")) << 24
                bits = {"g": noisy, "bp": noisy, "rp": noisy}
                for unit, name in enumerate(UNITS):
                    band = name if name in bits else "g"
                    for kind, shift in (("unavailable", unit), ("reject", unit + 12)):
                        bits[band] |= int(one[f"photometry_flag_{name}_{kind}"][k] == ord("T")) << shift
                self.assertEqual({b: int(row[b + "_other_flags"]) for b in bits}, bits)
                self.assertEqual(row["rejected_by_photometry"], "false")
                seen.update(bits.values())
        self.assertLessEqual({0, 1 << 10, 1 << 11, 1 << 22, 1 << 24}, seen)

    def test_members_are_deflated_with_descriptors_as_recorded(self):
        _, _, body = self.ask(self.server, self.ids[:2])
        archive = RECORDED / "datalink_other_products_csv.zip"
        if not archive.exists():
            self.skipTest(f"{archive} is missing")
        with zipfile.ZipFile(archive) as real, zipfile.ZipFile(io.BytesIO(body)) as ours:
            for name in ("compress_type", "flag_bits", "extract_version"):
                kinds = [{getattr(m, name) for m in file.infolist()} for file in (real, ours)]
                self.assertEqual(*kinds, name)
            shapes = [re.sub(r"^[A-Z_]+|\d+\.", "", f.namelist()[0]) for f in (real, ours)]
            self.assertEqual(*shapes)
        self.assertEqual(body[14:26], bytes(12))  # checksum and sizes stand behind the member

    def test_what_has_no_epochs_gives_an_empty_body(self):
        for ids, more in ((self.without, {}), (self.without[:1], {"USE_ZIP_ALWAYS": None}), ([4], {})):
            status, _, body = self.ask(self.server, ids, **more)
            self.assertEqual((status, body), (200, b""))

    def test_one_source_comes_bare_unless_a_zip_is_asked_for(self):
        status, headers, body = self.ask(self.server, self.ids[:1], USE_ZIP_ALWAYS=None)
        self.assertEqual((status, headers["Content-Type"]), (200, "text/csv"))
        self.assert_transits(rows_of(body), self.ids[0])
        self.assertEqual(len(self.members(self.server, self.ids[:2], USE_ZIP_ALWAYS=None)), 2)

    def test_votables_have_the_ids_in_params(self):
        one = self.epochs[source_id := self.ids[1]]
        for form in ("votable", "votable_plain"):
            ((name, body),) = self.members(self.server, [source_id], FORMAT=form).items()
            self.assertEqual(name, f"EPOCH_PHOTOMETRY-Gaia DR3 {source_id}.xml")
            table = read_votable(body)
            self.assertEqual(table.colnames, COLUMNS.split(",")[2:])
            for name in ("transit_id", "g_transit_flux", "rp_mag"):
                np.testing.assert_array_equal(filled(table[name]), np.asarray(one[name], float), name)
            for name, value in (("release", "Gaia DR3"), ("source_id", source_id)):
                self.assertRegex(body.decode(), f'<PARAM name="{name}" [^>]*value="{value}"/>')
            self.assertIn(b'refposition="BARYCENTER" timeorigin="2455197.5" timescale="TCB"', body)
        self.assertEqual(self.ask(self.server, [source_id], FORMAT="votable", USE_ZIP_ALWAYS="false")[2][:5], b"<?xml")

    def test_missing_numbers_of_binary_votables_are_nan_as_recorded(self):
        file = RECORDED / "epoch_photometry_dr3_individual.vot"
        if not file.exists():
            self.skipTest(f"{file} is missing")
        source_id = next(i for i in self.ids if np.isnan(self.epochs[i]["bp_flux"]).any())
        (ours,) = self.members(self.server, [source_id], FORMAT="votable").values()
        real = file.read_bytes()
        widths = {b"long": 8, b"double": 8, b"float": 4, b"boolean": 1}
        layouts = []
        for body in (real, ours):
            names, types, units = (
                re.findall(rb'<FIELD [^>]*?\b%s="([^"]+)"' % what, body) for what in (b"name", b"datatype", b"unit")
            )
            layouts.append((names, types, units))
            data = base64.b64decode(re.search(rb"<STREAM[^>]*>(.*)</STREAM>", body, re.S)[1])
            size = 3 + sum(widths[t] for t in types)
            self.assertEqual(len(data) % size, 0)
            self.assertEqual({data[i : i + 3] for i in range(0, len(data), size)}, {bytes(3)})  # masks
            self.assertTrue(np.isnan(filled(read_votable(body)["bp_flux"])).any())
        self.assertEqual(*layouts)

    def test_raw_has_one_member_with_arrays(self):
        for structure in ("RAW", "DATAMODEL_GAIA"):
            ((name, text),) = self.members(self.server, self.ids[:9], DATA_STRUCTURE=structure).items()
            self.assertEqual(name, "EPOCH_PHOTOMETRY_RAW.csv")
            rows = rows_of(text)
            self.assertEqual([int(r["source_id"]) for r in rows], self.ids[:9])
            for row in rows:
                values = [float(x) for x in row["bp_flux"][1:-1].split(", ")]
                np.testing.assert_array_equal(values, self.epochs[int(row["source_id"])]["bp_flux"])

    def test_valid_data_leaves_out_transits(self):
        for source_id in self.ids[:20]:
            one = self.epochs[source_id]
            good = ~(np.isnan(one["bp_flux"]) | np.isnan(one["rp_flux"]))
            for asked in ("true", None):
                (text,) = self.members(self.server, [source_id], VALID_DATA=asked).values()
                self.assertEqual(numbers(rows_of(text), "transit_id"), list(one["transit_id"][good].astype(float)))

    def test_ids_may_be_designations_and_repeated(self):
        ids = [f"Gaia DR3 {self.ids[0]}", f" {self.ids[1]} ", self.ids[0]]
        self.assertEqual(len(self.members(self.server, ids)), 2)
        status, _, body = self.server.get(f"{DATA}?{query(self.ids[:3])}")
        self.assertEqual((status, body[:4]), (200, b"PK\3\4"))

    def test_what_is_refused(self):
        for more, words in (
            ({"DATA_STRUCTURE": "COMBINED"},
             "Invalid Data Structure parameter: 'COMBINED', valid ones are: RAW, INDIVIDUAL"),
            ({"RELEASE": "Gaia DR4"}, "Invalid Release parameter: 'Gaia DR4'"),
            ({"RELEASE": "dr3"}, "Invalid Release parameter: 'dr3'"),
            ({"RETRIEVAL_TYPE": "XP_SAMPLED"}, "XP_SAMPLED"),
            ({"FORMAT": "parquet"}, "parquet"),
            ({"ID": f"Gaia DR2 {self.ids[0]}"}, "Gaia DR2"),
            ({"ID": ""}, "no source"),
        ):  # fmt: skip
            status, _, body = self.ask(self.server, self.ids[:2], **more)
            self.assertEqual(status, 400, more)
            self.assertIn(words, body.decode())

    def test_5000_ids_are_the_limit(self):
        ids = self.ids + [10**18 + i for i in range(5001 - len(self.ids))]
        status, _, body = self.ask(self.server, ids)
        self.assertEqual(status, 500)
        self.assertIn(b"Cannot process request: 'http://127.0.0.1", body)
        self.assertEqual(len(self.members(self.server, ids[:-1])), len(self.ids))

    def test_links_name_the_sources_with_epochs(self):
        ids = [self.ids[0], self.without[0], self.ids[1]]
        parameters = urllib.parse.urlencode({"ID": ",".join(f"Gaia DR3 {i}" for i in ids)})
        table = read_votable(self.server.get(f"{LINKS}?{parameters}")[2])
        self.assertEqual(list(table["ID"]), [f"Gaia DR3 {i}" for i in self.ids[:2]])
        url = table["access_url"][0].replace(self.server.url, "")
        self.assertIn("EPOCH_PHOTOMETRY", url)
        table = read_votable(self.server.get(url + "&VALID_DATA=false")[2])
        np.testing.assert_array_equal(table["transit_id"], self.epochs[self.ids[0]]["transit_id"])

    @unittest.skipIf(GaiaClass is None, "python3-astroquery is not installed")
    def test_astroquery_reads_it(self):
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.chdir(self.folder):
            warnings.simplefilter("ignore")
            gaia = GaiaClass(gaia_tap_server=self.server.url, gaia_data_server=self.server.url)
            found = gaia.load_data([*self.ids[:3], self.without[0]], data_release="Gaia DR3", valid_data=False,
                                   retrieval_type="EPOCH_PHOTOMETRY", data_structure="INDIVIDUAL")  # fmt: skip
            links = gaia.get_datalinks([self.ids[0]])
        self.assertEqual(len(found), 3)
        for name, (table,) in found.items():
            one = self.epochs[int(name.split()[2].split(".")[0])]
            np.testing.assert_array_equal(filled(table.array["g_transit_mag"]), one["g_transit_mag"])
        self.assertEqual(len(links), 1)

    def test_equal_requests_give_equal_bytes(self):
        self.assertEqual(*(self.ask(self.server, self.ids[:30])[2] for _ in range(2)))

    def test_the_server_counts_what_clients_do(self):
        with Server(self.sky) as server:
            self.ask(server, self.ids[:7])
            self.ask(server, self.ids[:3], RELEASE=None)
            server.get(f"{LINKS}?ID={self.ids[0]}")
            counts = server.status()["services"]["datalink"]
            wanted = {"requests": 3, "data requests": 2, "links requests": 1, "ids asked": 10, "rows": 10,
                      "most ids in a request": 7, "requests without RELEASE": 1, "most in flight": 1}  # fmt: skip
            self.assertEqual({name: counts[name] for name in wanted}, wanted)
            self.assertEqual(counts["longest GET"], len(f"{LINKS}?ID={self.ids[0]}"))


class Release4(DataLinkTest):
    def test_other_ids_and_names_of_columns(self):
        ids = [dr4_id(i) for i in self.ids[:10]]
        with Server(self.sky, "--gaia-release", "dr4") as server:
            for more in ({"RELEASE": "Gaia DR4"}, {"RELEASE": None}):
                found = self.members(server, ids, **more)
                self.assertEqual(list(found), [f"EPOCH_PHOTOMETRY-Gaia DR4 {i}.csv" for i in ids])
            for source_id, text in zip(self.ids, found.values()):
                rows = rows_of(text)
                one = self.epochs[source_id]
                self.assertEqual({int(r["source_id"]) for r in rows}, {dr4_id(source_id)})
                for new, old in (("g_obs_time", "g_transit_time"), ("g_flux", "g_transit_flux"), ("g_mag", "g_transit_mag"),
                                 ("g_flux_error", "g_transit_flux_error"), ("bp_obs_time", "bp_obs_time")):  # fmt: skip
                    np.testing.assert_array_equal(numbers(rows, new), one[old], new)
                self.assertEqual([int(r["variability_flag_g_reject"]) for r in rows],
                                 [int(f == ord("T")) for f in one["variability_flag_g_reject"]])  # fmt: skip
                self.assertNotIn("transit_time", text.decode())
            self.assertEqual(self.ask(server, ids)[2], b"")  # as ids of DR3
            self.assertEqual(len(self.members(server, self.ids[:10])), 10)
            (text,) = self.members(server, ids[:1], RELEASE="Gaia DR4", FORMAT="votable").values()
            self.assertIn(b'value="Gaia DR4"', text)
            self.assertEqual(read_votable(text)["variability_flag_g_reject"].dtype, np.int16)
            table = read_votable(server.get(f"{LINKS}?ID=Gaia+DR4+{ids[0]}")[2])
            self.assertEqual(list(table["ID"]), [f"Gaia DR4 {ids[0]}"])


class Traps(DataLinkTest):
    def serve(self, traps, *more):
        return Server(self.sky, "--traps", traps, *more)

    def test_a_poisoned_id_spoils_its_request(self):
        with self.serve("poisoned-id=0.1") as server:
            self.assertEqual(self.ask(server, self.ids)[0], 500)
            alone = {i: self.ask(server, [i])[0] for i in self.ids}
            good = [i for i, status in alone.items() if status == 200]
            self.assertTrue(0.75 < len(good) / len(self.ids) < 1, len(good))
            self.assertEqual(len(self.members(server, good)), len(good))

    def test_a_zip_without_the_end_of_its_directory(self):
        with self.serve("zip-cut=1") as server:
            status, headers, body = self.ask(server, self.ids[:20])
            self.assertEqual((status, int(headers["Content-Length"])), (200, len(body)))
            self.assertEqual(body.count(b"PK\3\4"), 20)
            self.assertLess(0, body.count(b"PK\1\2"))
            with self.assertRaises(zipfile.BadZipFile):
                zipfile.ZipFile(io.BytesIO(body))

    def test_a_member_of_another_source(self):
        with self.serve("wrong-member=1") as server:
            for ids in (self.ids[:5], self.ids[3:4]):
                found = self.members(server, ids)
                wrong = [n for n, text in found.items() if rows_of(text)[0]["source_id"] not in n]
                self.assertEqual(wrong, [f"EPOCH_PHOTOMETRY-Gaia DR3 {ids[0]}.csv"])

    def test_a_missing_member(self):
        with self.serve("missing-member=1") as server:
            self.assertEqual(len(self.members(server, self.ids[:5])), 4)
            self.assertEqual(self.ask(server, self.ids[:1])[2], b"")

    def test_stored_members(self):
        with self.serve("zip-stored=1") as server:
            body = self.ask(server, self.ids[:5])[2]
            with zipfile.ZipFile(io.BytesIO(body)) as file:
                self.assertIsNone(file.testzip())
                self.assertEqual({m.compress_type for m in file.infolist()}, {zipfile.ZIP_STORED})

    def test_only_old_or_new_names_of_structures(self):
        for names, good, bad in (("new", "DATAMODEL_STANDARD", "INDIVIDUAL"), ("old", "INDIVIDUAL", "DATAMODEL_STANDARD")):
            with self.serve("structures=" + names) as server:
                self.assertEqual(len(self.members(server, self.ids[:2], DATA_STRUCTURE=good)), 2)
                status, _, body = self.ask(server, self.ids[:2], DATA_STRUCTURE=bad)
                self.assertEqual(status, 400)
                self.assertIn(f"Invalid Data Structure parameter: '{bad}', valid ones are: ", body.decode())

    def test_a_trickle_on_each_connection(self):
        with self.serve("trickle=1", "--time-scale", "20") as server:
            begin = time.monotonic()
            size = len(self.ask(server, self.ids[:5])[2])
            alone = time.monotonic() - begin
            self.assertGreater(alone, 0.8 * size / (20 * 1700))
            threads = [threading.Thread(target=self.ask, args=(server, self.ids[:5])) for _ in range(8)]
            begin = time.monotonic()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertGreater(time.monotonic() - begin, 1.5 * alone)  # all share a limit
            self.assertEqual(server.status()["services"]["datalink"]["most in flight"], 8)

    def test_it_may_be_down_alone(self):
        with self.serve("datalink-down=1") as server:
            status, _, body = self.ask(server, self.ids[:2])
            self.assertEqual((status, body[:6]), (503, b"<html>"))
            self.assertEqual(server.get("/tap-server/tap/availability")[0], 200)

    def test_faults_reach_datalink_too(self):
        for fault, status, words in (("503", 503, b"not available"), ("empty", 200, b""), ("status", 200, b"ERROR")):
            with Server(self.sky, "--faults", fault + "=1") as server:
                answer = self.ask(server, self.ids[:2])
                self.assertEqual(answer[0], status)
                self.assertIn(words, answer[2])
                self.assertNotIn(b"PK", answer[2][:2])


if __name__ == "__main__":
    unittest.main()
