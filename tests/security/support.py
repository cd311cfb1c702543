"""What tests of hostile inputs share: a chain over light curves in files, and the plainest of these."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from chains import ROOT, TEST_PLUGINS, ChainTest, read_table  # noqa: E402, F401

CHAIN = """[chain]
name = "c"
[[stage]]
use = "catalog-source"
label = "catalog"
path = "{catalogue}"
[[stage]]
use = "ztf-files"
label = "ztf"
path = "{answers}"
[[stage]]
use = "fits-sink"
label = "raw"
what = "ztf"
"""
ANSWER = (
    "oid,expid,hjd,mjd,mag,magerr,catflags,filtercode,ra,dec,chi,sharp,filefracday,field,ccdid,qid,"
    "limitmag,magzp,magzprms,clrcoeff,clrcounc,exptime,airmass,programid\n"
    "7,1,58001.5,58001.5,18.5,0.02,0,zg,10.0,20.0,1.0,0.01,20200101000000,600,0x5,0x2,"
    "20.5,26.2,0.1,0,0,30,1.2,1\n"
)


class HostileTest(ChainTest):
    def chain(self, ids, answers="answers/{source_id}/lc.csv", catalogue="catalogue.csv"):
        """`ids`: texts, at the position of the answers."""
        rows = "".join('"{}",10.0,20.0\n'.format(i.replace('"', '""')) for i in ids)
        self.write("catalogue.csv", "source_id,ra,dec\n" + rows)
        self.write("chain.toml", CHAIN.format(catalogue=catalogue, answers=answers))

    def run_chain(self, *args, expect=0, **more):
        return self.qsohost("--chain", "chain.toml", "-j", 1, *args, expect=expect, **more)

    def outcomes(self, which="--failed"):
        """{source_id: reason}, as `status` lists them."""
        lines = self.qsohost("status", "c.run", which).stdout.splitlines()[1:]
        return {line.split("\t")[0]: line.split("\t")[5] for line in lines}
