"""Reads the binary table of a small FITS file, for checks after every step: astropy takes longer
than the run that it would check. Fails on whatever is not as the standard says."""

import re
import struct

BLOCK = 2880
FORMATS = {"B": "B", "I": "h", "J": "i", "K": "q", "E": "f", "D": "d", "L": "c"}


class Table:
    """columns: values by name, arrays as tuples. data: the bytes of the table and its heap."""

    def __init__(self, cards, columns, data):
        self.cards, self.columns, self.data = cards, columns, data


def _cards(content, at):
    """The keywords of the header at a place, and where it ends."""
    cards = {}
    while True:
        card = content[at : at + 80].decode("ascii")
        assert len(card) == 80, "the header has no END"
        at += 80
        if card.rstrip() == "END":
            return cards, -(-at // BLOCK) * BLOCK
        if card[8:10] == "= ":
            cards[card[:8].rstrip()] = _value(card[10:])


def _value(text):
    text = text.strip()
    if text.startswith("'"):
        return re.match(r"'((?:[^']|'')*)'", text).group(1).replace("''", "'").rstrip()
    text = text.split("/")[0].strip()
    if text in ("T", "F"):
        return text == "T"
    return float(text) if "." in text or "E" in text else int(text or 0)


def _cell(form, row, heap):
    """The value of one column, from the bytes that it has in the row."""
    count, kind, element = form
    if kind == "A":
        return row.split(b"\0")[0].decode("utf-8").rstrip()
    if kind in "PQ":
        length, offset = struct.unpack(">ii" if kind == "P" else ">qq", row)
        code = f">{length}{FORMATS[element]}"
        assert 0 <= offset and offset + struct.calcsize(code) <= len(heap), "an array outside the heap"
        return struct.unpack_from(code, heap, offset)
    values = struct.unpack(f">{count}{FORMATS[kind]}", row)
    return values[0] if count == 1 else values


def _form(text):
    count, kind, element = re.match(r"(\d*)([A-Z])([A-Z]?)", text).groups()
    count = int(count or 1)
    sizes = {"A": count, "P": 8 * count, "Q": 16 * count}
    size = sizes.get(kind) or count * struct.calcsize(">" + FORMATS[kind])
    return (count, kind, element), size


def read(path):
    with open(path, "rb") as file:
        content = file.read()
    assert len(content) % BLOCK == 0, f"{path}: not whole blocks"
    primary, at = _cards(content, 0)
    assert primary["SIMPLE"] and primary["NAXIS"] == 0, path
    cards, begin = _cards(content, at)
    assert cards["XTENSION"] == "BINTABLE", path
    width, rows = cards["NAXIS1"], cards["NAXIS2"]
    end = begin + width * rows + cards["PCOUNT"]
    assert -(-end // BLOCK) * BLOCK == len(content), f"{path}: its length is not what its header says"
    heap = content[begin + cards.get("THEAP", width * rows) : end]
    columns, place = {}, 0
    for k in range(1, cards["TFIELDS"] + 1):
        form, size = _form(cards[f"TFORM{k}"])
        cells = (content[begin + r * width + place :][:size] for r in range(rows))
        columns[cards[f"TTYPE{k}"]] = [_cell(form, cell, heap) for cell in cells]
        place += size
    assert place == width, f"{path}: the columns are not as wide as the rows"
    return Table(cards, columns, content[begin:end])
