"""What a run reads, in a folder of its own: a catalogue, answers of the archive, a chain. Every value
says of which quasar it is, and of which version of the file."""

import dataclasses

COLUMNS = (
    "oid,expid,hjd,mjd,mag,magerr,catflags,filtercode,ra,dec,chi,sharp,filefracday,field,ccdid,qid,"
    "limitmag,magzp,magzprms,clrcoeff,clrcounc,exptime,airmass,programid"
)
LINE = (
    "{oid},{k},{mjd},{mjd},{mag},0.02,0,z{band},10.0,20.0,1.0,0.01,20200101000000,600,0x5,0x2,"
    "20.5,26.2,0.1,0,0,30,1.2,1\n"
)
CHAIN = """[chain]
name = "c"
batch_rows = {batch_rows}
[[stage]]
use = "catalog-source"
label = "catalog"
path = "catalogue.csv"
[[stage]]
use = "ztf-files"
label = "ztf"
path = "answers/{{source_id}}.csv"
[[stage]]
use = "fits-sink"
label = "raw"
what = "ztf"
path = "{raw_path}"
keep_chunks = {keep[0]}
{sort_by}
[[stage]]
use = "require"
groups = ["ztf.g"]
[[stage]]
use = "fits-sink"
label = "A"
keep_chunks = {keep[1]}
{sort_by}
[[stage]]
use = "fits-sink"
label = "B"
what = "ztf"
keep_chunks = {keep[2]}
{sort_by}
"""
MISSING, EMPTY = "missing", "empty"  # kinds of answers besides versions, which are numbers


def epochs(source_id, answer):
    """(mjd, mag) of the bands g and r. All are exact in binary."""
    if answer in (MISSING, EMPTY):
        return {"g": [], "r": []}
    bands = {}
    for band, n in (("g", 1 + (source_id + answer) % 3), ("r", source_id % 2)):
        bands[band] = [(58000 + source_id + k / 8, 15 + answer / 8 + k / 64) for k in range(n)]
    return bands


def answer_text(source_id, answer):
    rows = (
        LINE.format(oid=f"{source_id}{'gr'.index(band)}", k=k, mjd=mjd, mag=mag, band=band)
        for band, values in epochs(source_id, answer).items()
        for k, (mjd, mag) in enumerate(values)
    )
    return COLUMNS + "\n" + "".join(rows)


@dataclasses.dataclass
class World:
    folder: object
    rows: list  # of (source_id, version) in the order of the catalogue
    answers: dict  # by source_id
    settings: dict  # of the chain

    def __post_init__(self):
        (self.folder / "answers").mkdir(parents=True)
        (self.folder / "chain.toml").write_text(CHAIN.format(**self.settings))
        self.write_catalogue()
        for source_id in self.answers:
            self.write_answer(source_id)

    def catalogue(self):
        return "source_id,ra,dec,z\n" + "".join(f"{i},10,20,{i + v / 8}\n" for i, v in self.rows)

    def write_catalogue(self):
        (self.folder / "catalogue.csv").write_text(self.catalogue())

    def write_answer(self, source_id):
        path = self.folder / f"answers/{source_id}.csv"
        if self.answers[source_id] == MISSING:
            path.unlink(missing_ok=True)
        else:
            path.write_text(answer_text(source_id, self.answers[source_id]))


def random_world(folder, rng, absolute):
    ids = rng.sample(range(1, 900), rng.randint(8, 24))
    kinds = [0] * 8 + [MISSING, EMPTY]
    if rng.random() < 0.3:
        kinds = [0]
    raw_path = folder / "out/raw.fits" if absolute else rng.choice(["{name}_raw.fits", "sub/raw.fits"])
    keeps = rng.choice([["true"] * 3, ["false"] * 3, [rng.choice(["true", "false"]) for _ in "123"]])
    settings = {"batch_rows": rng.randint(3, 4), "raw_path": raw_path, "keep": keeps,
                "sort_by": rng.choice(["", "", 'sort_by = "z"'])}  # fmt: skip
    return World(folder, [(i, 0) for i in ids], {i: rng.choice(kinds) for i in ids}, settings)
