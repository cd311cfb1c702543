"""Mistakes that users make in commands and chains, and what the program must say of each: what is
wrong, where, what is expected there, and what to do. Each part is a regular expression."""

import dataclasses

from inputs import CURVES, FIT, GOOD, RUN, SINK, SOURCE, Case, chain, source, stage

HELP = "Run with --help for more information"


def command_line():
    def case(name, args, what, where, expected, to_do, chain=None):
        return Case(name, what, where, expected, to_do, chain, args)

    yield case("no command", (), "nothing to do", "--chain FILE", "'list' or 'inspect STAGE'", "give --chain")
    yield case("unknown argument", ("--chian",), "not expected", "--chian", HELP, HELP, GOOD)
    yield case(
        "--set without value", ("--check", "--set", "cat.path"),
        "'cat.path'", "--set:", "must have the form", "LABEL.OPTION=VALUE", GOOD,
    )  # fmt: skip
    yield case(
        "--set of no option", ("--check", "--set", "path=x"),
        "--set path: write", "--set path", "label.option=value", "write --set", GOOD,
    )  # fmt: skip
    yield case(
        "--set of no stage", ("--check", "--set", "kat.path=x"),
        "no stage is called 'kat'", "--set kat.path", "did you mean 'cat'", "did you mean 'cat'", GOOD,
    )  # fmt: skip
    yield case(
        "--set of an unknown option", ("--check", "--set", "out.xyzzy=z"),
        "no option 'xyzzy'", "--set out.xyzzy: out", "there are 'what', 'path'", "there are 'what'", GOOD,
    )  # fmt: skip
    yield case(
        "--swap by an unknown stage", ("--check", "--swap", "cat=nostage"),
        "no stage 'nostage'", "--swap cat=nostage", "searched /", "`qsohost list` shows every stage", GOOD,
    )  # fmt: skip
    yield case(
        "--swap by another role", ("--check", "--swap", "cat=fits-sink"),
        "'fits-sink' is a Sink", "--swap cat=", "cannot take the place of a Source",
        "put one before it", GOOD,
    )  # fmt: skip
    yield case(
        "--shard beyond the last", (*RUN, "--shard", "3/2"),
        "count from 0", "--shard 3/2", "at most 1/2", "must be at most", GOOD,
    )  # fmt: skip
    yield case(
        "--shard of no form", (*RUN, "--shard", "x"), "'x' is not K/N", "--shard:", "such as 0/8", HELP, GOOD
    )
    yield case(
        "--threads", (*RUN, "-j", "none"),
        "'none' is not a whole number", "--threads:", "from 1 to 4096", HELP, GOOD,
    )  # fmt: skip
    yield case(
        "--limit", (*RUN, "--limit", "-1"), "'-1' is not", "--limit:", "whole number from 1 on", HELP,
        GOOD,
    )  # fmt: skip
    yield case("--graph", ("--graph", "svg"), "svg not in", "--graph:", "{dot,mermaid,text}", HELP, GOOD)
    yield case(
        "--log-level", (*RUN, "--log-level", "loud"), "loud not in", "--log-level:", "{debug,", HELP,
        GOOD,
    )  # fmt: skip
    yield case(
        "--accept-changed-inputs alone", (*RUN, "--accept-changed-inputs"),
        "goes with", "--accept-changed-inputs", "--resume or --retry-failed", HELP, GOOD,
    )  # fmt: skip
    yield case(
        "chain that is not there", ("--chain", "missing.toml"),
        "could not be opened", "missing.toml:", "check the path", "check the path",
    )  # fmt: skip
    yield case(
        "inspect", ("inspect", "ou-fitt"),
        "no stage 'ou-fitt'", "searched /", "did you mean 'ou-fit'", "`qsohost list`",
    )  # fmt: skip
    yield case(
        "status of no run", ("status", "."),
        r"\. holds no run", r"there is no \.qsohost/run\.db", "folder given by --run-dir", "name the folder",
    )  # fmt: skip
    yield case(
        "merge without a place", ("merge", "a", "b"),
        "merging several runs", "merging", "needs a place for the products", "--into DIR",
    )  # fmt: skip
    yield case(
        "new plugin of a bad name", ("new", "fitter", "Bad Name"),
        "cannot be the name", "'Bad Name'", "small letters, digits and single dashes", 'e.g. "my-fitter"',
    )  # fmt: skip
    yield case("new plugin of no kind", ("new", "thing", "x"), "thing not in", "KIND:", "{source,", HELP)
    yield dataclasses.replace(
        case(
            "report of no run", ("report", "empty"),
            "holds neither products", "empty: holds", r"\(\*\.fits\) nor a run", "name the run directory",
        ),
        files={"empty/note": ""},
    )  # fmt: skip
    yield case("relate without --x", ("relate", "."), "is required", "--x", HELP, HELP)
    yield case(
        "doctor of nothing", ("doctor",), "doctor: give", "doctor", "one kind of stage",
        "give --chain FILE",
    )  # fmt: skip
    yield dataclasses.replace(
        case(
            "describe a file that is not there", ("describe", "none.fits"),
            "there is no such file", "none.fits:", "check the path", "check the path",
        ),
        exit_code=1,
    )  # fmt: skip


def chain_files():
    def case(name, text, what, where, expected, to_do):
        return Case(name, what, where, expected, to_do, text)

    place = r"chain\.toml:%s: "
    yield case("no TOML", "[chain\n", "not TOML", place % "1:7", r"expected '\]'", "correct it")
    yield case(
        "empty", "", "the chain is empty", place % "1:1", r"no \[\[stage\]\]",
        "write one for each stage",
    )  # fmt: skip
    yield case(
        "key twice", chain(source(path='"b"'), SINK),
        "cannot redefine existing string 'path'", place % "7:8", "not TOML", "correct it",
    )  # fmt: skip
    yield case(
        "unknown key", GOOD + "[staeg]\n",
        "unknown key 'staeg'", place % "10:2", "did you mean 'stage'", "did you mean",
    )  # fmt: skip
    yield case(
        "no name", SOURCE + SINK, "needs option 'name'", place % "1:1", "string",
        "products are called after it",
    )  # fmt: skip
    yield case(
        "bad name", chain(SOURCE, SINK, name="a/b"),
        "becomes part of file names", place % "1:1", "must be of letters, digits", "must be of",
    )  # fmt: skip
    yield case(
        "stage without use", chain('[[stage]]\nlabel = "x"\n'),
        "a stage without 'use'", place % "3:1", "one of 'qsohost list'", 'write use = "NAME"',
    )  # fmt: skip
    yield case(
        "unknown stage", chain(SOURCE, stage("fits-snik")),
        "no stage 'fits-snik'", place % "8:7", "did you mean 'fits-sink'", "`qsohost list` shows",
    )  # fmt: skip
    yield case(
        "label twice", chain(SOURCE, SINK, SINK),
        "label 'out' is used twice", place % "12:9", "give every stage its own", "give every stage",
    )  # fmt: skip
    yield case(
        "no source", chain(SINK),
        "out is a Sink", place % "3:1", "a chain begins with a Source", "put one before it",
    )  # fmt: skip
    yield case(
        "two sources", chain(SOURCE, stage("catalog-source", path='"cat.csv"'), SINK),
        "catalog-source is a Source", place % "7:1", "only the first stage", "take it out",
    )  # fmt: skip
    yield case(
        "two sinks of a file", chain(SOURCE, SINK, SINK.replace('"out"', '"two"')),
        "two writes mine_catalog.fits, as out does", place % "10:1", "another path", "give one of them",
    )  # fmt: skip


def options():
    def case(name, text, what, where, expected, to_do):
        return Case(name, what, where, expected, to_do, text)

    place = r"chain\.toml:%s: "
    yield case(
        "type", chain(source(id="3"), SINK), "cat.id wants", place % "7:1", "a string",
        "wants a string",
    )  # fmt: skip
    yield case(
        "range", chain(CURVES, FIT + "min_points = 2\n", SINK),
        "fit.min_points", place % "12:1", "must be at least 4", "not 2",
    )  # fmt: skip
    yield case(
        "choice", chain(source(repeats='"maybe"'), SINK),
        'not "maybe"', place % "7:1", 'must be one of "error", "keep"', "must be one of",
    )  # fmt: skip
    yield case(
        "unknown option", chain(source(pathh='"x"'), SINK),
        "no option 'pathh'", place % "7:1" + "cat", "did you mean 'path'", "did you mean",
    )  # fmt: skip
    yield case(
        "required option", chain(stage("catalog-source"), SINK),
        "needs option 'path'", place % "3:1" + "catalog-source", r"\(path\): catalogue", "needs option",
    )  # fmt: skip
    yield case(
        "required option of a table",
        chain(CURVES, stage("epoch-quality") + "[[stage.rule]]\nmin = 3\n", SINK),
        "needs option 'column'", place % "9:1" + "epoch-quality.rule", "column of the epochs",
        "`qsohost inspect`",
    )  # fmt: skip
    yield case(
        "environment variable", chain(SOURCE.replace("cat.csv", "${NO_SUCH_NAME}/cat.csv"), SINK),
        "'NO_SUCH_NAME', which is not set", place % "6:1" + "cat.path", "write the value here", "set it",
    )  # fmt: skip
    yield case(
        "URL", chain(stage("tap-catalog", url='"ftp://x"', table='"t"'), SINK),
        'not "ftp://x"', place % "5:1", "must begin with https:// or http://", "wants a URL such as",
    )  # fmt: skip
    yield case(
        "password in a URL", chain(stage("tap-catalog", url='"https://me:pw@host/tap"', table='"t"'), SINK),
        "a user name, password or token is in it", place % "5:1", "environment variable", "take it out",
    )  # fmt: skip
    yield case(
        "neither table nor query", chain(stage("tap-catalog", url='"http://127.0.0.1:9/tap"'), SINK),
        "'query' or 'table'", place % "3:1" + "tap-catalog", "must say what to read", "must say",
    )  # fmt: skip
    yield case(
        "neither key nor radius", chain(SOURCE, stage("catalog-join", path='"cat.csv"'), SINK),
        "neither key nor radius_arcsec is given", place % "7:1",
        r'such as "source_id", to join by key', "set key",
    )  # fmt: skip
    yield case(
        "limits the wrong way", chain(CURVES, stage("epoch-quality", mag_range="[20, 10]"), SINK),
        "first limit, 20, is above the second", place % "7:1" + "epoch-quality", "mag_range", "swap them",
    )  # fmt: skip
    yield case(
        "no time system", chain(CURVES, stage("time-system", to='"MJD XYZ"'), SINK),
        "is no time system", place % "7:1" + "time-system: to", 'e.g. "BJD TDB"', "write e.g.",
    )  # fmt: skip
    yield case(
        "options that exclude each other",
        chain(CURVES, stage("bin-epochs", groups='["ztf.g"]', gap="3", width="2"), SINK),
        "'gap' makes bins between pauses", place % "7:1" + "bin-epochs", "no 'width' and 'offset'",
        "leave them out",
    )  # fmt: skip
    yield case(
        "empty list", chain(CURVES, stage("ztf-quality", bands="[]"), SINK),
        "names no band", place % "7:1" + "ztf-quality: bands", "one at least", "name one",
    )  # fmt: skip
