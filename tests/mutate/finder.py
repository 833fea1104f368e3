"""Finds the checks in C++ text, and puts a switch to each of them."""
import re
from dataclasses import dataclass, field
from typing import Callable


@dataclass
class Area:
    """What belongs together: tests, and the checks that they are to keep."""
    # What is mutated, below include/tlsconnect; headers first: what all include keeps its numbers, and need not be
    # compiled again.
    targets: list[str]
    tests: list[str]  # paths or patterns below tests, without .cpp
    support: list[str]  # the same, of what the tests are linked with
    # Mutants that no test can tell from the original, and why: (file, what), or (file, what, n) for the n-th of several
    # that look alike.
    equivalent: dict[tuple, str]
    # Whether an `if` refuses something: given the first statement that it leads to, and what precedes its condition.
    refuses: Callable[[str, str], bool]
    # Every `if`, and every condition that is returned or kept, instead of only those that refuse something.
    conditions: bool = False
    environment: dict[str, str] = field(default_factory=dict)  # for the tests; {root} is the repository


# How an early exit without an error looks.
LEAVES = re.compile(r"(return( \{\}| std::nullopt| false| true| [\w:]+\{0\})?|continue|break);")
MEMBER_ASSIGNED = re.compile(
    r"^ {2,}((?:(?:\w+(?:\.|->))*\w*_|(?:\w+(?:\.|->))+\w+|complete|peer_closed|warning_alerts) = [^;\n]*);\n", re.M)
LITERAL = re.compile(r"""//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'""", re.S)
COMPARISON = re.compile(r"^(!|equal$)|==|!=|<=|>=| < | > ")
LAMBDA = re.compile(r"\[[^\[\]]*\]\s*(\([^()]*(\([^()]*\)[^()]*)*\))?\s*(mutable\s*)?(noexcept\s*)?(->[\w:<>\s]+)?$")


def blanked(text):
    """The text without what its comments and literals say, every character in its place."""
    return LITERAL.sub(lambda match: re.sub(r"[^\n]", "_" if match.group()[0] in "\"'" else " ", match.group()), text)


def without_brackets(text):
    while (shorter := re.sub(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}", "", text)) != text:
        text = shorter
    return text


def closing(text, start):
    """The place of the parenthesis that closes the one at `start`."""
    depth = 0
    for place in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place
    raise ValueError("unbalanced")


def split_top(text, start, end, separator):
    """The (start, end) of the parts between separators that stand where no bracket is open."""
    parts, depth, last, place = [], 0, start, start
    while place < end:
        if text[place] in "([{":
            depth += 1
        elif text[place] in ")]}":
            depth -= 1
        elif depth == 0 and text.startswith("::", place):
            place += 1
        elif depth == 0 and text.startswith(separator, place):
            parts.append((last, place))
            last = place + len(separator)
            place = last - 1
        place += 1
    return [*parts, (last, end)]


class Mutants:
    """The mutants of all files: (file, line, what), numbered in their order."""

    def __init__(self, area, statements):
        self.area, self.statements, self.all = area, statements, []

    def put_into(self, file, text):
        """The text with a switch for each of its mutants."""
        return _File(self, file, text).switched()


class _File:
    def __init__(self, mutants, file, text):
        self.mutants, self.area, self.file, self.text, self.blank = mutants, mutants.area, file, text, blanked(text)
        self.around = []  # (start, end, before, behind): what is to stand around a range; ranges nest

    def switched(self):
        for match in re.finditer(r"\bif \(", self.blank):
            self.branch(match.start(), match.end() - 1)
        if self.area.conditions:
            for match in re.finditer(r"\breturn (?=[^;])", self.blank):
                self.returned(match.start(), match.end())
            for match in re.finditer(r"^ +(?:(?:const )?bool \w+|\w+(?:(?:\.|->)\w+)*) = ", self.blank, re.M):
                self.kept(match.end())
        if self.mutants.statements:
            for match in MEMBER_ASSIGNED.finditer(self.text):
                self.wrap(match.start(1), match.end(1), f"deleted: {match.group().strip()}",
                          "mutants::off({}) ? (void)(", ") : (void)0")
        return self.written()

    def written(self):
        pieces, last = [], 0
        starts = [(start, 1, -end, order, before) for order, (start, end, before, _) in enumerate(self.around)]
        ends = [(end, 0, -start, -order, behind) for order, (start, end, _, behind) in enumerate(self.around)]
        for place, *_, piece in sorted(starts + ends):
            pieces += [self.text[last:place], piece]
            last = place
        return "".join([*pieces, self.text[last:]])

    def wrap(self, start, end, what, before, behind):
        number = len(self.mutants.all)
        self.mutants.all.append((self.file, self.text.count("\n", 0, start) + 1, re.sub(r"\s+", " ", what)))
        self.around.append((start, end, before.format(number), behind.format(number)))

    def trimmed(self, start, end):
        while start < end and self.text[start].isspace():
            start += 1
        while start < end and self.text[end - 1].isspace():
            end -= 1
        return start, end

    def never(self, start, end, word="never"):
        self.wrap(start, end, f"{word}: {self.text[start:end]}", "(mutants::off({}) && (", "))")

    def always(self, start, end):
        self.wrap(start, end, f"true: {self.text[start:end]}", "(!mutants::off({}) || (", "))")

    def branch(self, start, opening):
        """`if (...)`, whose parenthesis stands at `opening`."""
        end = closing(self.blank, opening)
        then = self.text[end + 1:end + 700].lstrip()
        if then.startswith("{"):  # the first statement of a block, comments aside
            then = re.sub(r"^\{\s*(//[^\n]*\s*)*", "", then)
        *initial, last = split_top(self.blank, opening + 1, end, ";")
        refuses = self.area.refuses(then, self.text[opening + 1:initial[-1][1] + 1] if initial else "")
        if not refuses and not self.area.conditions and not (self.mutants.statements and LEAVES.match(then)):
            return
        begin, finish = self.trimmed(*last)
        if declared := re.match(r"(?:const )?[\w:<>*& ]+ \*?(\w+) = ", self.blank[begin:finish]):
            if self.area.conditions:
                self.wrap(finish, finish, f"never: {self.text[begin:finish]}", "",
                          f"; mutants::off({{}}) && static_cast<bool>({declared[1]})")
            return
        widened = self.area.conditions and not refuses
        if widened:
            self.always(begin, finish)
        self.never(begin, finish)
        self.parts(begin, finish, widened)

    def parts(self, start, end, widened, alone=""):
        """Each part of || without effect and, where `widened`, each part of &&. The whole of what has one part only and
        stands `alone`: of a "condition" always, of a "comparison" if it looks like one."""
        start, end = self.trimmed(start, end)
        question = split_top(self.blank, start, end, "?")
        if len(question) > 1:
            if self.area.conditions:
                rest = split_top(self.blank, question[0][1] + 1, end, ":")
                for part in (question[0], *rest):
                    self.parts(*part, widened, "" if part == question[0] else alone)
            return
        for separator in ("||", "&&"):
            found = split_top(self.blank, start, end, separator)
            if len(found) == 1:
                continue
            for part in found:
                part = self.trimmed(*part)
                if separator == "||":
                    self.never(*part, "without")
                elif widened:
                    self.always(*part)
                if self.area.conditions:
                    self.parts(*part, widened)
            return
        if self.area.conditions and self.blank[start] == "(" and closing(self.blank, start) == end - 1:
            self.parts(start + 1, end - 1, widened, alone)
        elif alone == "condition" and self.text[start:end] not in ("true", "false") or \
                alone == "comparison" and COMPARISON.search(without_brackets(self.blank[start:end])):
            self.always(start, end)
            self.never(start, end, "false")

    def returned(self, start, begin):
        """`return ...;`, where that is a condition."""
        end = self.statement_end(begin)
        header = self.enclosing(start)
        if LAMBDA.search(header):
            alone = "comparison"
        else:
            alone = "condition" if re.search(r"\bbool\s+[\w:]+\s*\(", header) else ""
        self.parts(begin, end, True, alone)

    def kept(self, begin):
        """`... = ...;`, where that is a condition of several parts."""
        end = self.statement_end(begin)
        if "{" not in self.blank[begin:end]:
            self.parts(begin, end, True)

    def statement_end(self, start):
        depth = 0
        for place in range(start, len(self.blank)):
            depth += {"(": 1, "{": 1, "[": 1, ")": -1, "}": -1, "]": -1}.get(self.blank[place], 0)
            if depth == 0 and self.blank[place] == ";":
                return place
        raise ValueError("a statement without end")

    def enclosing(self, place):
        """What stands before the body of the function or lambda expression around a place."""
        depth = 0
        while place > 0:
            place -= 1
            depth += {"}": 1, "{": -1}.get(self.blank[place], 0)
            if depth < 0:
                depth = 0
                before = max(self.blank.rfind(end, 0, place) for end in ";{}")
                header = self.blank[before + 1:place].strip()
                if LAMBDA.search(header) or re.search(r"\)[\w\s>:<,*&-]*$", header) and not re.match(
                        r"(\}|\s)*(else\s+)?(if|for|while|switch|catch)\b", header):
                    return header
        return ""
