#!/usr/bin/env python3
"""The documents against the code: the README's programs are the compiled ones, and each test that a document names
exists. With --update, the README is rewritten from the examples."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def region(name: str) -> str:
    """The lines between // [name] and // [/name] in the example that has them."""
    source = (ROOT / "examples" / f"readme_{name}.cpp").read_text(encoding="utf-8")
    found = re.search(rf"^// \[{name}\]\n(.*?)^// \[/{name}\]$", source, re.S | re.M)
    if not found:
        sys.exit(f"examples/readme_{name}.cpp has no region [{name}]")
    return found.group(1)


def with_programs(text: str) -> str:
    for name in ("blocking", "nonblocking", "custom"):
        block = f"<!-- [{name}] -->\n```cpp\n{region(name)}```\n<!-- [/{name}] -->"
        pattern = rf"<!-- \[{name}\] -->.*?<!-- \[/{name}\] -->"
        text, count = re.subn(pattern, lambda _: block, text, flags=re.S)
        if count != 1:
            sys.exit(f"README.md has {count} places for [{name}]")
    return text


def test_names() -> set[str]:
    names = set()
    for path in (ROOT / "tests").rglob("*.cpp"):
        source = path.read_text(encoding="utf-8")
        for macro in re.finditer(r"(?:TEST_CASE|SCENARIO)\(\s*((?:\"(?:[^\"\\]|\\.)*\"\s*)+)", source):
            names.add("".join(re.findall(r"\"((?:[^\"\\]|\\.)*)\"", macro.group(1))).replace('\\"', '"'))
    return names


def main() -> int:
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    expected = with_programs(text)
    if "--update" in sys.argv:
        readme.write_text(expected, encoding="utf-8")
        text = expected
    problems = []
    if text != expected:
        problems.append("README.md: the programs differ from examples/; run tests/docs/check_docs.py --update")

    # A test is named as `test: its name`; a file or folder of the repository as a link or in backquotes with a slash.
    names = test_names()
    for path in [readme, *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md"]:
        content = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.S | re.M)
        for name in re.findall(r"`test: ([^`]+)`", content):
            if name not in names:
                problems.append(f"{path.name}: there is no test case {name!r}")
        for target in re.findall(r"\]\(([^)#]+)", content):
            if "://" not in target and not (path.parent / target).exists():
                problems.append(f"{path.name}: {target} does not exist")
        for target in re.findall(r"`((?:tests|include|examples|bench|docs|impl|base|wire|record|handshake|crypto)/[^`*\s]*)`",
                                 content):
            if not any((base / target).exists() for base in (ROOT, ROOT / "include" / "tlsconnect")):
                problems.append(f"{path.name}: {target} does not exist")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
