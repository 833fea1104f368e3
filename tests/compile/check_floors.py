"""The floors of include/tlsconnect: a file includes only files of its own floor and of lower ones.

Usage: check_floors.py INCLUDE-FOLDER          checks the folder that holds tlsconnect/
       check_floors.py --self-test             shows that each rule can be broken, and that it is noticed then
"""
import pathlib
import re
import sys
import tempfile

# Lowest first. An entry is a folder (with a slash) or a file.
FLOORS = [
    ("base", ["base/", "version.hpp", "fwd.hpp"]),
    ("wire", ["wire/"]),
    ("crypto", ["crypto/"]),
    ("client", ["client/", "verify/", "compression/"]),
    ("record", ["record/"]),
    ("handshake", ["handshake/"]),
    ("engine", ["engine.hpp"]),
    ("doors", ["transport.hpp", "drive.hpp", "connector.hpp", "stream.hpp"]),
    ("adapters", ["posix.hpp", "memory_pipe.hpp", "key_log_file.hpp"]),
    ("everything", ["tlsconnect.hpp", "src.hpp"]),
]
# The two that stand side by side, and do not see each other.
STRANGERS = {("record", "client"), ("client", "record")}
# Adapters that nothing else includes: they name an operating system.
PRIVATE = {"posix.hpp", "key_log_file.hpp"}
# Too much for a header that every user compiles.
HEAVY = {"iostream", "regex", "sstream", "random", "ranges", "functional", "chrono", "filesystem", "thread", "mutex"}
# Headers that stand among the bodies, and their floor.
INNER_HEADERS = {"impl/config_access.hpp": "client"}

RANK = {name: rank for rank, (name, _) in enumerate(FLOORS)}


def read_includes(path):
    return re.findall(r'^\s*#\s*include\s+([<"][^>"]+[>"])', path.read_text(encoding="utf-8"), re.MULTILINE)


def floor_of_header(name):
    for floor, entries in FLOORS:
        if any(name == entry or (entry.endswith("/") and name.startswith(entry)) for entry in entries):
            return floor
    return INNER_HEADERS.get(name)


def check(include):
    root = include / "tlsconnect"
    files = {str(path.relative_to(root)): read_includes(path) for path in sorted(root.rglob("*")) if path.is_file()}
    problems = []

    # Bodies stand on the floor of the header that includes them.
    floor = {}
    for name, included in files.items():
        if name.endswith(".ipp"):
            continue
        floor[name] = floor_of_header(name)
        if floor[name] is None:
            problems.append(f"{name} stands on no floor")
        for target in included:
            match = re.fullmatch(r"<tlsconnect/(impl/.+\.ipp)>", target)
            if match and name != "src.hpp":
                if match[1] in floor:
                    problems.append(f"{match[1]} is included by two headers")
                floor[match[1]] = floor[name]
    for name in files:
        if name.endswith(".ipp"):
            if floor.get(name) is None:
                problems.append(f"{name} is included by no header")
            if f"<tlsconnect/{name}>" not in files.get("src.hpp", []):
                problems.append(f"{name} is missing in src.hpp")
    if problems:
        return problems

    for name, included in files.items():
        for target in included:
            bare = target[1:-1]
            if bare.startswith("botan/"):
                if floor[name] != "crypto":
                    problems.append(f"{name} includes {target}: only crypto may name Botan")
            elif target.startswith('"'):
                problems.append(f"{name} includes {target}: write <tlsconnect/...>")
            elif bare in HEAVY and not name.endswith(".ipp"):
                problems.append(f"{name} includes {target}: too much for a header")
            elif bare.startswith("tlsconnect/"):
                other = bare.removeprefix("tlsconnect/")
                if other not in files:
                    problems.append(f"{name} includes {target}, which does not exist")
                elif RANK[floor[other]] > RANK[floor[name]]:
                    problems.append(f"{name} ({floor[name]}) includes {other}, which stands higher ({floor[other]})")
                elif (floor[name], floor[other]) in STRANGERS:
                    problems.append(f"{name} ({floor[name]}) includes {other} ({floor[other]}): the two are strangers")
                elif other in PRIVATE and name != f"impl/{other.removesuffix('.hpp')}.ipp":
                    problems.append(f"{name} includes {other}: only its users do")
    return problems + find_circles(files)


def find_circles(files):
    """Header-only, a header's bodies follow its declarations. They break when something on the way needs a header that
    has been entered but has not yet declared anything: when what a header includes in front of its declarations leads
    back to it."""
    def targets(name):
        found = [target[1:-1].removeprefix("tlsconnect/") for target in files[name] if "<tlsconnect/" in target]
        return [target for target in found if target in files]

    problems = []
    for header in files:
        if header.endswith(".ipp") or header == "src.hpp":
            continue
        waiting = [target for target in targets(header) if not target.endswith(".ipp")]
        seen = set()
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += targets(name)
        if header in seen:
            problems.append(f"{header} is needed before its own declarations")
    return problems


def self_test():
    good = {
        "base/config.hpp": "#include <tlsconnect/version.hpp>\n",
        "version.hpp": "",
        "wire/cursor.hpp": "#include <span>\n#include <tlsconnect/base/config.hpp>\n",
        "crypto/hash.hpp": "#include <tlsconnect/base/config.hpp>\n#include <tlsconnect/impl/hash.ipp>\n",
        "impl/hash.ipp": "#include <functional>\n#include <botan/hash.h>\n#include <tlsconnect/crypto/hash.hpp>\n",
        "client/config.hpp": "#include <tlsconnect/crypto/hash.hpp>\n",
        "record/layer.hpp": "#include <tlsconnect/wire/cursor.hpp>\n",
        "engine.hpp": "#include <tlsconnect/client/config.hpp>\n#include <tlsconnect/record/layer.hpp>\n",
        "posix.hpp": "#include <tlsconnect/base/config.hpp>\n",
        "tlsconnect.hpp": "#include <tlsconnect/engine.hpp>\n",
        "src.hpp": "#include <tlsconnect/impl/hash.ipp>\n",
    }
    wrong = [  # a file, what is added to it, what must be said (None: nothing); one more file and its addition
        ("base/config.hpp", "#include <tlsconnect/wire/cursor.hpp>\n", "stands higher"),
        ("wire/cursor.hpp", "#  include <tlsconnect/crypto/hash.hpp>\n", "stands higher"),
        ("impl/hash.ipp", "#include <tlsconnect/client/config.hpp>\n", "stands higher"),
        ("record/layer.hpp", "#include <tlsconnect/client/config.hpp>\n", "strangers"),
        ("client/config.hpp", "#include <botan/x509cert.h>\n", "only crypto"),
        ("client/config.hpp", "#include <mutex>\n", "too much"),
        ("wire/cursor.hpp", '#include "codec.hpp"\n', "write <tlsconnect"),
        ("wire/cursor.hpp", "#include <tlsconnect/wire/gone.hpp>\n", "does not exist"),
        ("tlsconnect.hpp", "#include <tlsconnect/posix.hpp>\n", "only its users"),
        ("other.hpp", "\n", "stands on no floor"),
        ("impl/alone.ipp", "\n", "included by no header"),
        ("impl/alone.ipp", "\n", "missing in src.hpp"),
        ("engine.hpp", "#include <tlsconnect/impl/hash.ipp>\n", "two headers"),
        ("crypto/suites.hpp", "#include <tlsconnect/crypto/hash.hpp>\n", None),
        ("crypto/suites.hpp", "#include <tlsconnect/crypto/hash.hpp>\n", "before its own",
         ("impl/hash.ipp", "#include <tlsconnect/crypto/suites.hpp>\n")),
    ]
    failed = 0
    for name, text, expected, *more in [(None, "", None), *wrong]:
        with tempfile.TemporaryDirectory(prefix="tlsconnect-floors-") as folder:
            tree = dict(good)
            for file, addition in [(name, text), *more] if name else []:
                tree[file] = tree.get(file, "") + addition
            for file, content in tree.items():
                path = pathlib.Path(folder) / "tlsconnect" / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
            found = check(pathlib.Path(folder))
        noticed = any(expected in problem for problem in found) if expected else not found
        if not noticed:
            failed += 1
            print(f"FAILED: {text.strip()!r} in {name}: expected {expected!r}, found {found}")
    return failed


def main():
    if sys.argv[1] == "--self-test":
        sys.exit(1 if self_test() else 0)
    problems = check(pathlib.Path(sys.argv[1]))
    for problem in problems:
        print(f"FAILED: {problem}")
    sys.exit(1 if problems else 0)


main()
