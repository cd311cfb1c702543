"""What a message lacks of the four parts: what is wrong, where, what is expected, what to do."""

import re

from templates import literal

# An instruction (after a mark that ends what is wrong), or what is expected.
VERBS = (
    "add|append|ask|begin|build|call|change|check|choose|compare|convert|copy|"
    "correct|cut|declare|deactivate|divide|do|drop|exclude|fill|free|get|give|go|"
    "increase|install|join|leave|list|load|look|lower|make|match|merge|move|name|"
    "put|quote|raise|read|record|remove|rename|repeat|replace|report|restart|restore|run|"
    "save|say|see|select|separate|set|shorten|sort|spell|split|start|submit|swap|"
    "take|try|unpack|update|use|wait|write"
)
ADVICE = re.compile(
    rf"(?:[;:,(|}}\n]|\bor|\bthen|\band|^) *(?:first |only )?(?:{VERBS})\b"
    r"|\bmust\b|\bha(?:s|ve) to\b|\bexpected\b|\bwant(?:s|ed)\b|\bneed(?:s|ed)?\b|\b(?:is|are) possible\b"
    r"|\bthere (?:is|are)(?: the \w+)?:? [{(]|\be\.g\. |\bsuch as\b|--retry-failed|\bat (?:least|most)\b"
    r"|\bgo(?:es)? with\b|\bone is '|, not [{'A-Za-z]|\bonly\b|did_you_mean|--resume|system_reason|advice"
)
# Ends with what another message says.
WRAPS = re.compile(
    r"\{[^{}]*\b(?:what|current_exception_message|problems?|reason|fault|error|failure|trouble|why)\b"
    r"[^{}]*\}\)?$"
)
# Words without a meaning for who reads them.
POOR = re.compile(r"\b(?:invalid|illegal|bad input|error occurred|unknown error|oops|please)\b", re.I)


def is_filled_in(template):
    """All of it comes from elsewhere: the message of another error, or its parts."""
    return not re.search(r"[A-Za-z]{2,}", literal(template.text.removeprefix("qsohost: ")))


# Needs no part more.
EXCEPTIONS = {
    "module 'qsohost' has no attribute '{name}'": "the words of Python, which tools look for",
    "zlib did not compress the picture of a figure; free some memory": "no place is to blame",
    "a regressor has the same value for all objects, or depends linearly on the others: "
    "leave it out": "relate.cpp adds the fit and its objects",
}


def faults(template):
    """What a message lacks."""
    text = template.text
    if text in EXCEPTIONS or text.startswith("warning: "):
        return
    if re.search(r"\{[^{}]*strerror[^{}]*\}\)?$", text):
        yield "the system's bare words; system_reason() says what to do"
    if is_filled_in(template):
        return
    if len(text.split()) < 2 and template.kind != "part":
        yield "does not say what is wrong"
    if template.needs_advice() and not ADVICE.search(text) and not WRAPS.search(text):
        yield "says neither what is expected nor what to do"
    if template.file.startswith("hosts/qsohost/") and template.kind in ("usage", "run"):
        # Nobody adds the place.
        if not re.search(r"\{|--[a-z]|'|\b[A-Z]{4,}\b", text):
            yield "names no place: no file, option or command"
    if POOR.search(literal(text)):
        yield f"says '{POOR.search(literal(text))[0]}', not what is wrong"
    if re.search(r"(?<!\.\.)[.!]$", text) and "\n" not in text:
        yield "ends with a full stop, which no message has"
