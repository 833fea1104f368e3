"""Each file of cases/ compiles as it stands, and does not with -DWRONG, for the reason that its line `// expect: REGEX`
names.

Usage: must_not_compile.py BUILD-FOLDER REFERENCE-FILE CASE...
"""
import pathlib
import re
import sys

from toolchain import SEPARATE, Toolchain, first_lines, in_parallel, report

# A result that is thrown away is a warning that every build here turns into an error.
FLAGS = [SEPARATE, "-fsyntax-only", "-Werror=unused-result"]


def check(toolchain, path):
    text = path.read_text(encoding="utf-8")
    expect = re.search(r"^// expect: (.+)$", text, re.MULTILINE)
    if not expect or "defined(WRONG)" not in text:
        return [f"{path.name}: it must have a line `// expect: REGEX` and ask for defined(WRONG)"]
    status, _, errors = toolchain.run(*FLAGS, path)
    if status != 0:
        return [f"{path.name}: what is right does not compile:\n{first_lines(errors)}"]
    status, _, errors = toolchain.run(*FLAGS, "-DWRONG", path)
    if status == 0:
        return [f"{path.name}: what is wrong compiles"]
    reasons = [line for line in errors.splitlines() if "error:" in line]
    if not any(re.search(expect[1], line) for line in reasons):
        return [f"{path.name}: it fails for another reason than /{expect[1]}/:\n{first_lines(errors)}"]
    return []


def main():
    toolchain = Toolchain(sys.argv[1], sys.argv[2])
    cases = [pathlib.Path(argument) for argument in sys.argv[3:]]
    listed = {case.resolve() for case in cases}
    problems = [f"{path.name} is not listed in meson.build" for path in cases[0].parent.glob("*.cpp")
                if path.resolve() not in listed]
    for found in in_parallel(lambda case: check(toolchain, case), cases):
        problems += found
    report(problems, f"{len(cases)} cases")


main()
