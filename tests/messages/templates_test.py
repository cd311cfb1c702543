"""Every message for users, as it stands in the sources, has its parts (see templates.py)."""

import re
import unittest

import parts
import templates


def faults_of(source, file="plugins/some/some.cpp"):
    found = list(templates.in_cxx(file, source))
    return [fault for template in found for fault in parts.faults(template)]


class Sources(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.templates = templates.templates()
        cls.sources = dict(templates.sources(templates.ROOT))

    def test_every_message_has_its_parts(self):
        wrong = [f"{t}\n    {fault}" for t in self.templates for fault in parts.faults(t)]
        self.assertFalse(wrong, "\n" + "\n".join(wrong))

    def test_all_kinds_of_errors_are_known(self):
        for file, source in self.sources.items():
            for name in re.findall(r"\bthrow (?:qsohost::)?([A-Z]\w*|std::\w+|CLI::\w+|py::\w+)[({]", source):
                if name not in PASSED_ON:
                    self.assertIn(name, templates.THROWN, f"{file}: say what kind of message it is")

    def test_all_functions_that_report_a_text_are_known(self):
        reports = re.compile(r"\[\[noreturn\]\][^;{]*?\b(\w+)\(([^)]*)\)")
        for file, source in self.sources.items():
            for name, parameters in reports.findall(source):
                if re.search(r"string|char", parameters) and name not in TAKE_NO_MESSAGE:
                    self.assertIn(name, templates.REPORTERS, f"{file}: say what kind of message it is")

    def test_exceptions_are_needed(self):
        texts = {t.text for t in self.templates}
        self.assertLessEqual(set(parts.EXCEPTIONS), texts)

    def test_the_list_is_of_the_whole_program(self):
        self.assertGreater(len(self.templates), 700)
        for folder in ("framework/src/fits/", "hosts/qsohost/relate/", "hosts/python/qsohost/", "plugins/ztf/"):
            self.assertTrue(any(t.file.startswith(folder) for t in self.templates), folder)


# Thrown, but with the words of another message, or none for users.
PASSED_ON = {"Interrupted", "py::error_already_set", "py::stop_iteration"}
# What they are given is the subject (a cell, a row, the server's words), not the message.
TAKE_NO_MESSAGE = {
    "fail_at_entity",
    "fail_in_count",
    "fail_unknown",
    "fits_nothing",
    "no_number",
    "refuse_columns",
    "throw_server_error",
    "wrong_count",
}


class Checks(unittest.TestCase):
    """The checks above can fail."""

    def test_an_expression_becomes_a_text(self):
        source = """
          constexpr std::string_view kAdvice = "make it again";
          void f(int n) {
            throw qsohost::RunError(fmt::format("{}: {} row{}" ", {:.1f}; {}", file.string(), n + 1,
                                                n == 1 ? "" : "s", size, kAdvice));
            const std::string message = "is " + what + ", not " + wanted;
            throw BadObject(message);
          }"""
        texts = [t.text for t in templates.in_cxx("a.cpp", source)]
        self.assertEqual(
            texts,
            ["{file.string()}: {n+1} row(|s), {size}; {kAdvice}", "is {what}, not {wanted}"],
        )
        constants = dict(templates.constants_of(source))
        self.assertEqual(templates.with_constants("{kAdvice}", constants), "make it again")

    def test_a_message_without_advice_is_found(self):
        self.assertTrue(faults_of('throw UsageError("the file is not good");'))
        self.assertTrue(faults_of('throw RunError(fmt::format("{}: the table is empty", file));'))
        self.assertTrue(faults_of('file.fail("the header is damaged");', "framework/src/fits/a.cpp"))
        self.assertTrue(faults_of('outcomes.set(Outcome::BadObject, "its position is not finite");'))
        self.assertFalse(faults_of('throw UsageError("the file is not good; name another one");'))
        self.assertFalse(faults_of('throw UsageError("the limit must be above 0");'))

    def test_what_became_of_an_object_needs_none(self):
        self.assertFalse(faults_of('throw NotFound("no source there");'))

    def test_bare_words_are_found(self):
        self.assertTrue(faults_of('throw RunError(fmt::format("{}: {}", file, std::strerror(errno)));'))
        self.assertTrue(faults_of('throw UsageError("invalid value; use another one");'))
        self.assertTrue(faults_of('throw UsageError("the file is bad; use another one.");'))
        self.assertTrue(faults_of('throw UsageError("wrong");'))

    def test_a_place_is_needed_where_nobody_adds_it(self):
        source = 'throw UsageError("the folder is empty; name another one");'
        self.assertTrue(faults_of(source, "hosts/qsohost/report/a.cpp"))
        self.assertFalse(faults_of(source))


if __name__ == "__main__":
    unittest.main()
