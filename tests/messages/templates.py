#!/usr/bin/env python3
"""Every message that tells a user of an error, as it stands in the sources.

  templates.py --list [FOLDER]     all of them: file:line, kind, text; {x} is filled in at run time

A message for a user says what is wrong, where, what is expected and what to do. Who throws it writes
the first and the last two; the place is often added by who catches it: the chain's reader adds
file:line:column, the call of a stage its label, plugin, batch and objects, an opened file its name.
parts.py says what a message lacks. What the program really says is tested by provoked_test.py; this
finds the texts that no test provokes.
"""

import ast
import dataclasses
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# skysim is not here: its servers answer with errors on purpose, as archives do.
FOLDERS = ("framework", "hosts/qsohost", "hosts/python", "plugins")

# What is thrown, and the kind of message that it is.
#   usage   a mistake in the invocation or in a chain
#   run     a file, a server or a stage that the run cannot go on without
#   object  what became of one object; the end of a run says how to ask again (--retry-failed), and
#           `qsohost status --failed` lists them
#   part    the rest of a message; who puts it there adds the place (the name of the file, the line)
#   end     as part, but who puts it there says what to do as well
#   bug     cannot be reached by what a user does; for those who change the program
THROWN = {
    "UsageError": "usage",
    "CLI::ValidationError": "usage",
    "py::key_error": "usage",
    "py::attribute_error": "usage",
    "py::index_error": "usage",
    "py::import_error": "usage",
    "RunError": "run",
    "Error": "run",
    "std::runtime_error": "run",
    "TableError": "run",
    "NotFound": "object",
    "TryAgain": "object",
    "BadObject": "object",
    "BadData": "part",
    "WrongField": "end",
    "SQLite::Exception": "bug",
    "std::logic_error": "bug",
    "std::bad_alloc": "bug",
}
# Calls that report: a text among their arguments is a message, or the rest of one.
REPORTERS = {
    "complain": "usage",
    "problem": "usage",
    "throw_refused": "run",
    "throw_forbidden": "run",
    "throw_error": "end",
    "fail": "part",
    "refuse": "part",
    "refuse_change": "end",
    "refuse_version": "end",
    "refuse_entity": "part",
    "broken": "part",
    "malformed": "end",
    "damaged": "object",
    "bad_cell": "part",
    "throw_wrong": "end",
    "raise": "usage",
    "leave": "object",
}
# The same names in some files.
REPORTERS_OF = {
    "framework/src/fits/fits_writer.cpp:fail": "end",
    "framework/src/http/client.cpp:fail": "object",
    "framework/src/run/executor.cpp:fail": "bug",
    "framework/src/run/product_files.cpp:fail": "end",
    "framework/src/run/run_db.cpp:refuse": "end",
    "framework/src/run/stage_context.cpp:refuse": "end",
    "framework/src/votable/votable_tabledata.cpp:refuse": "end",
    "hosts/qsohost/report/plots_file.cpp:fail": "end",
}
OUTCOMES = ("Outcome::Failed", "Outcome::BadObject", "Outcome::NotFound")

TOKEN = re.compile(
    r'(?P<raw>R"(?P<mark>[^(\s]*)\((?P<body>.*?)\)(?P=mark)")'
    r'|(?P<text>"(?:[^"\\\n]|\\.)*")'
    r"|(?P<char>'(?:[^'\\\n]|\\.)*')"
    r"|(?P<skip>//[^\n]*|/\*.*?\*/|\s+)"
    r"|(?P<pre>^[ \t]*\#(?:[^\n\\]|\\.|\\\n)*)"
    r"|(?P<name>[A-Za-z_]\w*(?:::\w+)*)"
    r"|(?P<number>\d[\w.']*)"
    r"|(?P<sign>->|<=|>=|==|!=|&&|\|\||.)",
    re.S | re.M,
)
ESCAPES = {"n": "\n", "t": "\t", '"': '"', "\\": "\\", "'": "'"}
OPEN, CLOSE = "([{", ")]}"


@dataclasses.dataclass(frozen=True)
class Token:
    kind: str
    text: str
    line: int

    def is_text(self):
        return self.kind in ("text", "raw")

    def value(self):
        if self.kind == "raw":
            return TOKEN.match(self.text).group("body")
        return re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[0]), self.text[1:-1])


@dataclasses.dataclass(frozen=True)
class Template:
    file: str
    line: int
    kind: str
    by: str  # what is thrown or called
    text: str

    def needs_advice(self):
        return self.kind in ("usage", "run", "part") or self.by.endswith("BadObject")

    def __str__(self):
        text = self.text.replace("\n", "\\n")
        return f"{self.file}:{self.line}: {self.kind} ({self.by}): {text}"


def tokens_of(source):
    out, line = [], 1
    for match in TOKEN.finditer(source):
        kind = "raw" if match.group("raw") else match.lastgroup
        if kind not in ("skip", "pre"):
            out.append(Token(kind, match.group(), line))
        line += match.group().count("\n")
    return out


def split(tokens, *signs):
    """At these signs outside of all brackets."""
    parts, depth = [[]], 0
    for token in tokens:
        depth += token.text in OPEN
        depth -= token.text in CLOSE
        if depth == 0 and token.kind == "sign" and token.text in signs:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def inside(tokens, at):
    """What is between the bracket at `at` and the one that closes it."""
    depth = 0
    for end in range(at, len(tokens)):
        depth += tokens[end].text in OPEN
        depth -= tokens[end].text in CLOSE
        if depth == 0:
            return tokens[at + 1 : end]
    return tokens[at + 1 :]


def is_call(tokens, *names):
    if len(tokens) < 3 or tokens[0].text not in names or tokens[1].text not in "({":
        return False
    return len(inside(tokens, 1)) == len(tokens) - 3


def render(tokens):
    """The text that an expression gives; what is filled in at run time stands in {}."""
    if not tokens:
        return ""
    if all(t.is_text() for t in tokens):
        return "".join(t.value() for t in tokens)
    if tokens[0].text == "(" and len(inside(tokens, 0)) == len(tokens) - 2:
        return render(inside(tokens, 0))
    if is_call(tokens, "std::string", "std::move", "std::string_view"):
        return render(inside(tokens, 1))
    if len(condition := split(tokens, "?")) == 2:
        return "(" + "|".join(render(part) for part in split(condition[1], ":")) + ")"
    if len(terms := split(tokens, "+")) > 1 and any(t.is_text() for t in tokens):
        return "".join(render(term) for term in terms)
    if is_call(tokens, "fmt::format"):
        form, *values = [render(part) for part in split(inside(tokens, 1), ",")]
        return filled_in(form, values)
    return "{" + source_of(tokens) + "}"


def filled_in(form, values):
    numbers = iter(range(len(values)))

    def value(match):
        at = int(match[1]) if match[1] else next(numbers)
        return values[at] if at < len(values) else match[0]

    text = re.sub(r"(?<!\{)\{(\d*)(?::[^{}]*)?\}", value, form)
    return text.replace("{{", "{").replace("}}", "}")


def source_of(tokens):
    text = ""
    for token in tokens:
        if text and re.match(r"\w", token.text) and re.search(r"[\w,]$", text):
            text += " "
        text += token.text
    return text


def assigned(tokens, at, name):
    """The texts that variable `name` is given before `at`, in the same function as far as we see."""
    begin = max(0, at - 400)
    for i in range(at - 1, begin, -1):
        if tokens[i].text == name and tokens[i + 1].text == "=":
            return render(split(tokens[i + 2 : at], ";")[0])
    return None


def constants_of(source):
    """Texts that have a name: constexpr std::string_view kName = "..."."""
    tokens = tokens_of(source)
    for at, token in enumerate(tokens[:-2]):
        if re.fullmatch(r"k[A-Z]\w*", token.text) and tokens[at + 1].text in "={":
            value = until_closed(tokens, at + 2)
            if value and all(t.is_text() for t in value):
                yield token.text, render(value)


def with_constants(text, constants):
    return re.sub(r"\{(k[A-Z]\w*)\}", lambda m: constants.get(m[1], m[0]), text)


def in_cxx(file, source):
    tokens = tokens_of(source)
    for at, token in enumerate(tokens[:-1]):
        if token.kind != "name":
            continue
        name = token.text.removeprefix("qsohost::")
        follows = tokens[at + 1].text
        before = tokens[at - 1].text if at else ""
        if before == "throw" and name in THROWN and follows in "({":
            for text in messages(tokens, at, last_only=name != "CLI::ValidationError"):
                yield Template(file, token.line, THROWN[name], name, text)
        elif name in REPORTERS and follows == "(" and not is_declaration(tokens, at):
            for text in messages(tokens, at, last_only=False):
                if has_words(text):
                    kind = REPORTERS_OF.get(f"{file}:{name}", REPORTERS[name])
                    yield Template(file, token.line, kind, name, text)
        elif name in OUTCOMES and follows == ",":
            text = render(split(until_closed(tokens, at + 2), ",")[0])
            if has_words(text):
                yield Template(file, token.line, "object", name, text)


def until_closed(tokens, at):
    depth = 0
    for end in range(at, len(tokens)):
        depth += tokens[end].text in OPEN
        depth -= tokens[end].text in CLOSE
        if depth < 0 or tokens[end].text == ";":
            return tokens[at:end]
    return tokens[at:]


def is_declaration(tokens, at):
    before = tokens[at - 1]
    return before.kind == "name" and before.text not in ("return", "else")


def messages(tokens, at, last_only):
    arguments = [part for part in split(inside(tokens, at + 1), ",") if part]
    for part in arguments[-1:] if last_only else arguments:
        text = render(part)
        variable = re.fullmatch(r"\{(\w+)\}", text)
        if variable and (known := assigned(tokens, at, variable[1])):
            text = known
        yield text


def has_words(text):
    return bool(re.search(r"[A-Za-z]{2,}.* ", literal(text)))


def literal(text):
    """What stands in the source: without what is filled in."""
    while re.search(r"\{[^{}]*\}", text):
        text = re.sub(r"\{[^{}]*\}", "", text)
    return text


def in_python(file, source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            by = ast.unparse(node.exc.func)
            yield Template(file, node.lineno, "usage", by, python_text(node.exc.args[-1]))


def python_text(node):
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(python_text(part) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return "{" + ast.unparse(node.value) + "}"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return python_text(node.left) + python_text(node.right)
    if isinstance(node, ast.IfExp):
        return f"({python_text(node.body)}|{python_text(node.orelse)})"
    return "{" + ast.unparse(node) + "}"


def sources(root):
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            is_source = path.suffix in (".cpp", ".hpp", ".py")
            if is_source and not {"tests", "templates"} & set(path.parts):
                yield str(path.relative_to(root)), path.read_text()


def templates(root=ROOT):
    texts = dict(sources(root))
    constants = {}
    for source in texts.values():
        constants.update(constants_of(source))
    out = []
    for name, source in texts.items():
        for t in in_python(name, source) if name.endswith(".py") else in_cxx(name, source):
            out.append(dataclasses.replace(t, text=with_constants(t.text, constants)))
    return out


def main(arguments):
    if arguments[:1] != ["--list"]:
        sys.exit(__doc__)
    within = arguments[1] if len(arguments) > 1 else ""
    print(*(t for t in templates() if t.file.startswith(within)), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
