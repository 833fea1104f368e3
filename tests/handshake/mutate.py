#!/usr/bin/env python3
"""Deletes the protocol's checks one after another and shows that a test notices.

    tests/handshake/mutate.py [--list] [--only REGEX] [--from N] [--statements]

Every `if` that refuses something becomes a mutant in which its condition is false, and one more for each part of a
condition with `||`; with --statements, so does every `if` that leaves its function or loop without an error, and every
assignment to a member is deleted as well. A mutant that all tests accept is a survivor: either a check without a test,
or one that something else makes superfluous. The exit status is the number of survivors. Needs the compiler ($CXX,
default c++) and pkg-config with botan-3 and catch2-with-main; works in a temporary folder and touches nothing in the
repository.
"""
import argparse
import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ["handshake/client_hello", "handshake/connected", "handshake/extensions", "handshake/honest",
         "handshake/lengths", "handshake/records", "handshake/retry", "handshake/server_flight",
         "handshake/server_hello", "handshake/state_table", "handshake/tickets", "handshake/psk",
         "handshake/external_psk", "handshake/early_data", "handshake/early_data_hostile", "handshake/client_auth",
         "handshake/late_auth", "handshake/verdict", "handshake/server_certificate", "handshake/raw_public_key",
         "handshake/record_size", "handshake/grease", "handshake/exporter", "unit/record/joiner", "unit/wire/cursor"]
# A mutant that goes round for ever may collect bytes as it goes.
MEMORY = 4 << 30
# What is mutated, and which bodies and tests must be compiled again for it (None: itself). Tests too, because a function
# in a header that none of the bodies calls is in no other object.
TARGETS = {
    "impl/negotiate.ipp": None,
    "impl/client13.ipp": None,
    "impl/client13_connected.ipp": None,
    "impl/client_authentication.ipp": None,
    "impl/server_certificate.ipp": None,
    "impl/pre_shared_key.ipp": None,
    "impl/proofs.ipp": None,
    "impl/client_hello.ipp": None,
    "impl/record_layer.ipp": None,
    "impl/engine.ipp": None,
    "wire/extensions.hpp": ["negotiate", "client13"],
    "wire/messages13.hpp": ["client13"],
    "wire/cursor.hpp": ["negotiate", "client13", "client_hello", "unit/wire/cursor"],
    "record/handshake_joiner.hpp": ["record_layer", "negotiate", "client13", "unit/record/joiner"],
    "handshake/state.hpp": ["engine"],
}
# Mutants that no test can tell from the original, and why.
EQUIVALENT = {
    ("impl/negotiate.ipp", "without: !suite"): "a configuration lists only suites that are known",
    ("impl/negotiate.ipp", "deleted: context_->info.version = ProtocolVersion::tls1_3;"): "TLS 1.3 is the default",
    ("impl/client_hello.ipp", "never: !hello.shared_groups.push_back(group)"): "a configuration has at most as many shares",
    ("impl/engine.ipp", "never: count == 0"): "from nothing no record is made",
    # Of release(); that of next() has a test.
    ("record/handshake_joiner.hpp", "deleted: given_ = false;"): "next() does the same before anything else",
}


def closing(text, start):
    """The place of the parenthesis that closes the one at `start`."""
    depth = 0
    for place in range(start, len(text)):
        if text[place] == "(":
            depth += 1
        elif text[place] == ")":
            depth -= 1
            if depth == 0:
                return place
    raise ValueError("unbalanced")


def split_top(text, separator):
    """Splits at the separator where no bracket is open."""
    parts, depth, last, place = [], 0, 0, 0
    while place < len(text):
        if text[place] in "([{":
            depth += 1
        elif text[place] in ")]}":
            depth -= 1
        elif depth == 0 and text.startswith(separator, place):
            parts.append(text[last:place])
            last = place + len(separator)
            place = last - 1
        place += 1
    parts.append(text[last:])
    return parts


def mutants_of(text, statements):
    """(line, what, mutated text)"""
    for match in re.finditer(r"\bif (?:constexpr )?\(", text):
        opening = match.end() - 1
        end = closing(text, opening)
        inside = text[opening + 1:end]
        then = text[end + 1:end + 700].lstrip()
        if then.startswith("{"):  # the first statement of a block, comments aside
            then = re.sub(r"^\{\s*(//[^\n]*\s*)*", "", then)
        initial, _, condition = inside.rpartition(";")
        refuses = re.match(r"(return |result = )?(fail|refuse|share_invalid|inner\.refuse|ar\.refuse)\b", then) or \
            re.match(r"return (std::unexpected|result|added)", then) and re.search(r"decode<|parse\(", initial)
        leaves = statements and re.match(r"(return( \{\}| std::nullopt| false| true| [\w:]+\{0\})?|continue|break);", then)
        if not refuses and not leaves:
            continue
        line = text.count("\n", 0, match.start()) + 1
        head = text[:opening + 1] + (initial + "; " if initial else "")
        tail = text[end:]
        condition = condition.strip()
        yield line, f"never: {condition}", head + f"({condition}) && false" + tail
        parts = split_top(condition, "||")
        if len(parts) > 1:
            for index, part in enumerate(parts):
                rest = " || ".join(p for i, p in enumerate(parts) if i != index)
                yield line, f"without: {part.strip()}", head + rest + tail
    if statements:
        pattern = r"^ {2,}(?:(?:\w+(?:\.|->))*\w*_|(?:\w+(?:\.|->))+\w+|complete|peer_closed|warning_alerts) = [^;\n]*;\n"
        for match in re.finditer(pattern, text, re.M):
            line = text.count("\n", 0, match.start()) + 1
            yield line, f"deleted: {match.group().strip()}", text[:match.start()] + ";\n" + text[match.end():]


class Build:
    def __init__(self, folder):
        self.folder = folder
        self.cxx = shlex.split(os.environ.get("CXX", "c++"))
        cflags = shlex.split(self.pkg_config("--cflags"))
        self.flags = ["-std=c++2b", "-O0", "-w", "-DTLSCONNECT_SEPARATE_COMPILATION"] + cflags
        self.libs = shlex.split(self.pkg_config("--libs", "--static"))

    @staticmethod
    def pkg_config(*arguments):
        return subprocess.run(["pkg-config", *arguments, "botan-3", "catch2-with-main"], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def compile(self, include, source, output):
        command = [*self.cxx, *self.flags, "-I", str(include), "-I", str(ROOT / "tests/support"), "-c", str(source),
                   "-o", str(output)]
        return subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def body(self, include, header, output):
        source = self.folder / "body.cpp"
        source.write_text(f"#include <tlsconnect/{header}>\n")
        return self.compile(include, source, output)

    def link_and_run(self, objects, program):
        # The first definition of a function counts: the mutant's, which stands before the original's.
        linked = subprocess.run([*self.cxx, "-Wl,--allow-multiple-definition", *map(str, objects), *self.libs,
                                 "-o", str(program)], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if linked.returncode:
            return "does not link", linked.stdout
        environment = dict(os.environ, TLSCONNECT_STATE_DIAGRAM=str(ROOT / "docs/state-machine.md"))
        environment.pop("TLSCONNECT_UPDATE_DOCS", None)
        try:
            done = subprocess.run([str(program), "--abort"], text=True, errors="replace", env=environment,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
                                  preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)))
        except subprocess.TimeoutExpired:
            return "hangs", ""
        return ("survives" if done.returncode == 0 else "killed"), done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--statements", action="store_true")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # A copy, so that edits made meanwhile do not mix with the mutants.
        original = folder / "original"
        shutil.copytree(ROOT / "include", original)
        mutants = []
        for target in TARGETS:
            text = (original / "tlsconnect" / target).read_text()
            for line, what, mutated in mutants_of(text, options.statements):
                mutants.append((target, line, what, mutated))
        mutants = [(number, mutant) for number, mutant in enumerate(mutants)
                   if re.search(options.only, f"{mutant[0]}:{mutant[1]} {mutant[2]}") and number >= options.first]
        if options.list:
            for number, (target, line, what, _) in mutants:
                print(f"{number:3} {target}:{line} {what}")
            return 0

        build = Build(folder)
        objects = {}
        sources = {f"test_{Path(test).name}": ROOT / f"tests/{test}.cpp" for test in TESTS}
        support = [*(ROOT / "tests/support").glob("scripted_*.cpp"), ROOT / "tests/support/test_pki.cpp"]
        sources |= {file.stem: file for file in support}
        for stem, source in sources.items():
            objects[stem] = folder / f"{stem}.o"
            done = build.compile(original, source, objects[stem])
            if done.returncode:
                sys.exit(f"{source} does not compile:\n{done.stdout}")
        objects["bodies"] = folder / "bodies.o"
        done = build.body(original, "src.hpp", objects["bodies"])
        if done.returncode:
            sys.exit(f"the library does not compile:\n{done.stdout}")
        outcome, output = build.link_and_run(objects.values(), folder / "tests")
        if outcome != "survives":
            sys.exit(f"the tests fail without any mutation:\n{output}")
        print(f"{len(mutants)} mutants", flush=True)

        survivors = 0
        for number, (target, line, what, mutated) in mutants:
            include = folder / "include"
            shutil.rmtree(include, ignore_errors=True)
            shutil.copytree(original, include)
            (include / "tlsconnect" / target).write_text(mutated)
            changed = []
            unchanged = dict(objects)
            outcome = ""
            for part in TARGETS[target] or [Path(target).stem]:
                changed.append(folder / f"changed_{Path(part).name}.o")
                if part in TESTS:
                    del unchanged[f"test_{Path(part).name}"]
                    done = build.compile(include, ROOT / f"tests/{part}.cpp", changed[-1])
                else:
                    done = build.body(include, f"impl/{part}.ipp", changed[-1])
                if done.returncode:
                    outcome = "does not compile"
            if not outcome:
                outcome, _ = build.link_and_run([*changed, *unchanged.values()], folder / "tests")
            if outcome == "survives" and (target, what) in EQUIVALENT:
                outcome = "equivalent: " + EQUIVALENT[target, what]
            survivors += outcome == "survives"
            print(f"{number:3} {outcome:8} {target}:{line} {what}", flush=True)
        print(f"{survivors} survivors")
        return min(survivors, 99)


if __name__ == "__main__":
    sys.exit(main())
