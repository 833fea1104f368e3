"""Each file of cases/ is right as it stands. With -DWRONG it is wrong, and the compiler says so in that very file, with
an error that its line `// expect: REGEX` describes.

All cases are compiled at once, first right and then wrong: the errors name the file that they belong to.

Usage: must_not_compile.py BUILD-FOLDER REFERENCE-FILE CASE...
"""
import pathlib
import re
import sys

from toolchain import SEPARATE, Toolchain, first_lines, report

# A result that is thrown away is a warning that every build here turns into an error.
FLAGS = [SEPARATE, "-fsyntax-only", "-Werror=unused-result"]


def together(cases):
    """One file out of all; each case's functions get names of their own."""
    text = ""
    for number, case in enumerate(cases):
        text += f'#define use use_{number}\n#include "{case}"\n#undef use\n'
    return text


def main():
    toolchain = Toolchain(sys.argv[1], sys.argv[2])
    cases = [pathlib.Path(argument).resolve() for argument in sys.argv[3:]]
    problems = [f"{path.name} is not listed in meson.build" for path in cases[0].parent.glob("*.cpp")
                if path.resolve() not in cases]
    expected = {}
    for case in cases:
        text = case.read_text(encoding="utf-8")
        line = re.search(r"^// expect: (.+)$", text, re.MULTILINE)
        if not line or "defined(WRONG)" not in text or "#else" not in text:
            problems.append(f"{case.name}: it must have a line `// expect: REGEX`, and a right way beside the wrong one")
        else:
            expected[case] = line[1]

    status, _, errors = toolchain.run(*FLAGS, text=together(cases))
    if status != 0:
        problems.append(f"what is right does not compile:\n{first_lines(errors, 30)}")

    # The first errors must not hide the last.
    status, _, version = toolchain.run("-v", "-E", text="")
    limit = "-ferror-limit=0" if "clang version" in version else "-fmax-errors=0"
    status, _, errors = toolchain.run(*FLAGS, "-DWRONG", limit, text=together(cases))
    for case, regex in expected.items():
        # "path:line:column: error: text"; of an error inside a header only the note names the case, so the place that
        # counts is the case's own.
        own = [line for line in errors.splitlines() if str(case) in line and "error:" in line]
        if not own:
            problems.append(f"{case.name}: what is wrong compiles")
        elif not any(re.search(regex, line) for line in own):
            problems.append(f"{case.name}: it fails for another reason than /{regex}/:\n{first_lines(chr(10).join(own))}")
    report(problems, f"{len(cases)} cases")


main()
