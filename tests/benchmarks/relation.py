"""How far the answers of `qsohost relate` are from the relation that simulated quasars have.

    relation.py QSOHOST [--objects 8529] [--seeds 3]

Simulates quasars with log10 D = -3.8 - 1.2 (log L_bol - 46), scatter 0.35 dex, with errors as of ZTF
and with flat ones, at redshifts 0.6 to 2.4 and in the slice 1.0 to 1.1; fits them with ou-fit, and
prints slopes and scatters, each less the truth. QSOHOST_PLUGIN_PATH is heeded.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from quasars_with_relation import Relation, write_chain, write_quasars


def related(program: str, folder: Path, *arguments: str) -> dict:
    numbers = folder / "numbers.json"
    command = [program, "relate", folder / "run", "--x", "loglbol", "--json", numbers]
    command += ["--catalog", folder / "catalog.fits", *arguments]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return json.loads(numbers.read_text())


def answers_of(program: str, folder: Path) -> list[tuple[str, dict]]:
    fitted = related(program, folder, "--snr-cut", "7")
    flat = related(program, folder, "--partner", "flat")
    return [
        ("robust", fitted["robust"]),
        ("robust, S/N > 7", fitted["robust_snr_cut"]),
        ("hierarchical", fitted["hierarchical"]),
        ("hierarchical, tau flat", flat["hierarchical"]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--objects", type=int, default=8529)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    print("errors  z         seed  answer                      n    slope - truth     scatter - truth")
    for law in ("ztf", "flat"):
        for truth in (Relation(), Relation(z_min=1.0, z_max=1.1)):
            for seed in range(1, arguments.seeds + 1):
                with tempfile.TemporaryDirectory() as name:
                    folder = Path(name)
                    write_quasars(folder, arguments.objects, law, seed, truth)
                    command = [arguments.program, "--chain", write_chain(folder)]
                    command += ["--run-dir", folder / "run", "--log-level", "warning"]
                    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                    for name, a in answers_of(arguments.program, folder):
                        slope = f"{a['slope'] - truth.slope:+.4f} +- {a['slope_err']:.4f}"
                        error = a.get("scatter_err")
                        scatter = f"{a['scatter'] - truth.scatter:+.4f}"
                        scatter += f" +- {error:.4f}" if error else ""
                        print(
                            f"{law:7} {truth.z_min}-{truth.z_max} {seed:7}  {name:23}"
                            f"{a['n']:6}  {slope}  {scatter}",
                            flush=True,
                        )


if __name__ == "__main__":
    main()
