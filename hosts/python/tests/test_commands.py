import pytest

import qsohost
from conftest import curve


@pytest.fixture(scope="module")
def chain_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    lines = ["source_id,mjd,mag,magerr"]
    for i in range(5):
        lines += [f"{i},{t},{m},{e}" for t, m, e in zip(*curve(i))]
    (folder / "epochs.csv").write_text("\n".join(lines))
    chain = folder / "chain.toml"
    chain.write_text("""
[chain]
name = "files"
[[stage]]
use = "lightcurve-source"
paths = ["epochs.csv"]
[[stage.band]]
group = "mine.g"
time = "mjd"
mag_err = "magerr"
time_system = "MJD UTC"
[[stage]]
use = "ou-fit"
groups = ["mine.g"]
rest_frame = false
""")
    return chain


def test_compare(chain_file, tmp_path):
    made = qsohost.compare(chain_file, ["ou-fit", "dho"], out=tmp_path / "table.csv", limit=4,
                           set={"ou-fit.mean": "profiled"})
    assert "AIC" in made.text and "ou-fit - dho" in made.text
    table = qsohost.read_table(made.file)
    assert table.rows == 8
    assert list(table["fitter"][:2]) == ["ou-fit", "dho"]


def test_errors_of_commands_are_exceptions(chain_file, tmp_path):
    with pytest.raises(qsohost.UsageError, match="no stage 'none'"):
        qsohost.compare(chain_file, ["none"], out=tmp_path / "t.csv")
    with pytest.raises(qsohost.UsageError):
        qsohost.compare(chain_file, ["ou-fit"], out=tmp_path / "t.csv", nothing=True)
