"""What must hold for the headers as a user includes them.

Usage: headers.py BUILD-FOLDER REFERENCE-FILE SOURCE-ROOT CHECK

separate      every header compiles as the first line of a file, bodies compiled elsewhere; how that is shown with
              fewer files than headers, chains() tells
header-only   the headers that nothing else includes do so in header-only mode, and with them all others; tlsconnect.hpp
              is left to the program of two files, which begins with it. That the order of inclusion makes no difference
              is for check_floors.py to show
botan         in separate compilation, no public door reaches a header of Botan
modes         a program cannot mix the two modes
"""
import functools
import pathlib
import re
import sys
import tempfile

from toolchain import SEPARATE, Toolchain, first_lines, in_parallel, report

DOORS = ["tlsconnect.hpp", "connector.hpp", "stream.hpp", "engine.hpp", "transport.hpp", "drive.hpp", "posix.hpp",
         "memory_pipe.hpp", "key_log_file.hpp", "fwd.hpp", "version.hpp"]
DOOR_FOLDERS = ["client", "verify"]


def includes(path):
    return re.findall(r"^\s*#\s*include\s+<(tlsconnect/[^>]+)>", path.read_text(encoding="utf-8"), re.MULTILINE)


def closures(include, files):
    """Of each header: its own name, and all that it includes, directly or through others."""
    direct = {name: set(re.findall(r"^\s*#\s*include\s+<([^>]+)>", without_bodies(include / name), re.MULTILINE))
              for name in files}

    @functools.cache
    def closure(name):
        return {name}.union(*(closure(target) for target in direct.get(name, ())))

    return {name: closure(name) for name in files}


def without_bodies(path):
    """A header's text without what stands behind the guard of header-only mode, which must be its end."""
    text = path.read_text(encoding="utf-8")
    declarations, guard, bodies = text.partition("#if !defined(TLSCONNECT_SEPARATE_COMPILATION)")
    if guard and re.sub(r"#include <[^>]+>|#endif", "", bodies).strip():
        raise SystemExit(f"{path}: bodies are expected at the end, and nothing else behind their guard")
    return declarations


def chains(reached):
    """Lists of headers, each of which includes everything that those before it in the list do.

    A header is helped by nothing that it does not include itself when all that was read before it, it includes anyway.
    So one file that names a list's headers one after another shows that each of them compiles alone.
    """
    lists = []
    for name in sorted(reached, key=lambda name: (len(reached[name]), name)):
        fitting = [headers for headers in lists if reached[headers[-1]] < reached[name]]
        if fitting:
            max(fitting, key=lambda headers: len(reached[headers[-1]])).append(name)
        else:
            lists.append([name])
    return lists


def own_header(name):
    """What an adapter's bodies include is no user of it."""
    return name.replace("/impl/", "/").replace(".ipp", ".hpp")


def names(include, pattern):
    return sorted(str(path.relative_to(include)) for path in (include / "tlsconnect").rglob(pattern))


def compile_alone(toolchain, lists, *flags):
    def one(headers):
        text = "".join(f"#include <{name}>\n" for name in headers)
        status, _, errors = toolchain.run("-fsyntax-only", *flags, text=text)
        return [] if status == 0 else [f"one of {' '.join(headers)} does not compile alone:\n{first_lines(errors)}"]

    return [problem for found in in_parallel(one, lists) for problem in found]


def check_separate(toolchain, include):
    # -Werror: a header that only warns would still fill a user's screen.
    # The .ipp files are nobody's first line: headers include them, and each would read Botan's headers once more.
    # src.hpp is the first line of the library's own file.
    files = [name for name in names(include, "*.hpp") if name != "tlsconnect/src.hpp"]
    lists = chains(closures(include, files))
    return compile_alone(toolchain, lists, SEPARATE, "-Werror"), f"{len(files)} headers in {len(lists)} files"


def check_header_only(toolchain, include):
    everything = names(include, "*.hpp") + names(include, "*.ipp")
    included = {target for name in everything if name != "tlsconnect/src.hpp" for target in includes(include / name)
                if target != own_header(name)}
    files = [name for name in names(include, "*.hpp")
             if name not in included and name not in ("tlsconnect/src.hpp", "tlsconnect/tlsconnect.hpp")]
    problems = compile_alone(toolchain, [[name] for name in files], "-Werror")
    first = includes(pathlib.Path(__file__).with_name("odr_second.hpp"))[0]
    if first != "tlsconnect/tlsconnect.hpp":
        problems.append(f"the program of two files begins with {first}, so that nothing shows tlsconnect.hpp alone")
    # src.hpp belongs to the other mode and says so.
    status, _, errors = toolchain.run("-fsyntax-only", text="#include <tlsconnect/src.hpp>\n")
    if status == 0 or "TLSCONNECT_SEPARATE_COMPILATION" not in errors:
        problems.append("src.hpp does not refuse header-only mode")
    return problems, f"{len(files)} headers"


def check_botan(toolchain, include):
    doors = [f"tlsconnect/{name}" for name in DOORS]
    for folder in DOOR_FOLDERS:
        doors += sorted(str(path.relative_to(include)) for path in (include / "tlsconnect" / folder).glob("*.hpp"))

    def botan_headers(name, *flags):
        status, output, errors = toolchain.run("-M", *flags, text=f"#include <{name}>\n")
        if status != 0:
            return None, errors
        return [word for word in output.split() if "/botan/" in word], ""

    def one(name):
        found, errors = botan_headers(name, SEPARATE)
        if found is None:
            return [f"{name}: {first_lines(errors)}"]
        return [f"{name} reaches {found[0]}"] if found else []

    problems = [problem for found in in_parallel(one, doors) for problem in found]
    # The same question must be able to have the other answer.
    found, _ = botan_headers("tlsconnect/connector.hpp")
    if not found:
        problems.append("header-only, connector.hpp is seen without any header of Botan: this check sees nothing")
    return problems, f"{len(doors)} doors"


# Bodies that need no Botan: enough for a program, and quick to compile.
CALLER = """#include <tlsconnect/client/server_name.hpp>
int main() { return tlsconnect::ServerName::parse("example.com").has_value() ? 0 : 1; }
"""
OTHER = """#include <tlsconnect/client/server_name.hpp>
bool other() { return tlsconnect::ServerName::parse("example.org").has_value(); }
"""
BODIES = """#include <tlsconnect/impl/error.ipp>
#include <tlsconnect/impl/server_name.ipp>
bool other() { return tlsconnect::ServerName::parse("example.org").has_value(); }
"""


def check_modes(toolchain, _include):
    problems = []
    with tempfile.TemporaryDirectory(prefix="tlsconnect-modes-") as name:
        folder = pathlib.Path(name)

        def compiled(stem, text, *flags):
            target = folder / f"{stem}.o"
            status, _, errors = toolchain.run("-c", "-o", target, *flags, text=text)
            if status != 0:
                problems.append(f"{stem} does not compile:\n{first_lines(errors)}")
            return target

        def linked(*objects):
            return toolchain.run("-o", folder / "program", *objects)

        separate = compiled("separate_caller", CALLER, SEPARATE)
        bodies = compiled("separate_bodies", BODIES, SEPARATE)
        inline = compiled("inline_caller", CALLER)
        other = compiled("inline_other", OTHER)
        if problems:
            return problems, ""
        for what, objects in (("separate compilation", (separate, bodies)), ("header-only", (inline, other))):
            status, _, errors = linked(*objects)
            if status != 0:
                problems.append(f"{what} does not link:\n{first_lines(errors)}")
        status, _, errors = linked(separate, other)
        if status == 0:
            problems.append("a program that mixes the modes links")
        elif not re.search(r"undefined (reference|symbol).*v\d+_\d+_separate", errors):
            problems.append(f"mixing the modes fails for another reason:\n{first_lines(errors)}")
    return problems, "two programs, and one that is none"


def main():
    toolchain = Toolchain(sys.argv[1], sys.argv[2])
    include = pathlib.Path(sys.argv[3]).resolve() / "include"
    check = {"separate": check_separate, "header-only": check_header_only, "botan": check_botan,
             "modes": check_modes}[sys.argv[4]]
    report(*check(toolchain, include))


main()
