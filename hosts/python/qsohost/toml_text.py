"""Python values as TOML, the form in which stages take their options."""

import json
import os


def toml_of(value) -> str:
    """The value as it would stand in a chain file."""
    if hasattr(value, "tolist"):  # numpy
        value = value.tolist()
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(toml_of, value)) + "]"
    raise TypeError(f"an option is a bool, number, text, path or a list of these, not {value!r}")
