#!/usr/bin/env python3
"""Deletes the protocol's checks one after another and shows that a test notices.

    tests/handshake/mutate.py [--list] [--only REGEX] [--statements] [--jobs N]

Every `if` that refuses something becomes a mutant in which its condition is false, and one more for each part of a
condition with `||`; with --statements, so does every `if` that leaves its function or loop without an error, and every
assignment to a member is deleted as well. A mutant that all tests accept is a survivor: either a check without a test,
or one that something else makes superfluous. The exit status is the number of survivors.

All mutants are compiled into one program, each behind a switch that TLSCONNECT_MUTANT throws, so that a mutant costs a
run of the tests up to the first that fails. Needs the compiler ($CXX, default c++) and pkg-config with botan-3 and
catch2-with-main; works in a temporary folder and touches nothing in the repository.
"""
import argparse
import concurrent.futures
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
         "handshake/record_size", "handshake/grease", "handshake/exporter", "handshake/state_table12",
         "handshake12/attacks", "handshake12/change", "handshake12/client_auth", "handshake12/connected",
         "handshake12/honest", "handshake12/lengths", "handshake12/psk", "handshake12/records", "handshake12/resumption",
         "handshake12/selector", "handshake12/server_flight", "handshake12/server_hello",
         "unit/record/joiner", "unit/wire/cursor"]
# What is mutated.
TARGETS = ["impl/negotiate.ipp", "impl/client13.ipp", "impl/client13_connected.ipp", "impl/client_authentication.ipp",
           "impl/server_certificate.ipp", "impl/pre_shared_key.ipp", "impl/proofs.ipp", "impl/client_hello.ipp",
           "impl/record_layer.ipp", "impl/engine.ipp", "wire/extensions.hpp", "wire/messages13.hpp", "wire/cursor.hpp",
           "record/handshake_joiner.hpp", "handshake/state.hpp", "impl/negotiate12.ipp", "impl/handshake12.ipp",
           "impl/client12.ipp", "impl/client12_finish.ipp", "record/record_layer.hpp", "record/protection.hpp",
           "wire/messages12.hpp"]
# A mutant that goes round for ever may collect bytes as it goes.
MEMORY = 4 << 30
SECONDS = 120
# Mutants that no test can tell from the original, and why.
EQUIVALENT = {
    ("impl/negotiate.ipp", "without: !suite"): "a configuration lists only suites that are known",
    ("impl/negotiate.ipp", "deleted: info.version = ProtocolVersion::tls1_3;"): "TLS 1.3 is the default",
    ("impl/client_hello.ipp", "never: !hello.shared_groups.push_back(group)"): "a configuration has at most as many shares",
    ("impl/client13.ipp", "never: !waiting"): "the engine has asked what is awaited",
    ("impl/client13_connected.ipp", "never: !state"): "the engine has asked whether the handshake is complete",
    ("impl/client13_connected.ipp", "never: epoch_ >= limits::key_epochs"): "no test lives to see 2^48 keys",
    ("impl/client13_connected.ipp", "deleted: session.version = ProtocolVersion::tls1_3;"): "TLS 1.3 is the default",
    ("impl/client12.ipp", "never: !waiting"): "the engine has asked what is awaited",
    ("impl/client12_finish.ipp", "never: !waiting"): "the engine has asked what is awaited",
    ("impl/client12_finish.ipp", "never: !state"): "the engine has asked whether the handshake is complete",
    ("impl/record_layer.ipp", "never: header.type == ContentType::application_data"): "before Finished it is refused anyway",
    ("impl/engine.ipp", "never: count == 0"): "from nothing no record is made",
    # Of release(); that of next() has a test.
    ("record/handshake_joiner.hpp", "deleted: given_ = false;"): "next() does the same before anything else",
}
# What every mutated file sees first. In constant expressions no mutant is at work.
SWITCH = """#pragma once
#include <cstdlib>
namespace mutants {
inline int active() noexcept {
  static const int number = [] { const char* text = std::getenv("TLSCONNECT_MUTANT"); return text ? std::atoi(text) : -1; }();
  return number;
}
constexpr bool off(int number) noexcept {
  if consteval {
    return true;
  } else {
    return active() != number;
  }
}
}
"""


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


class Mutants:
    """The mutants of all files: (file, line, what), numbered in their order."""

    def __init__(self, statements, only):
        self.statements, self.only, self.all = statements, only, []

    def number(self, file, line, what):
        """Of a new mutant; None for one that is not wanted."""
        if not re.search(self.only, f"{file}:{line} {what}"):
            return None
        self.all.append((file, line, what))
        return len(self.all) - 1

    def switched(self, file, line, what, condition):
        number = self.number(file, line, what)
        return condition if number is None else f"mutants::off({number}) && ({condition})"

    def put_into(self, file, text):
        """The text with a switch for each of its mutants."""
        edits = []  # (start, end, replacement), none inside another
        for match in re.finditer(r"\bif \(", text):
            opening = match.end() - 1
            end = closing(text, opening)
            inside = text[opening + 1:end]
            then = text[end + 1:end + 700].lstrip()
            if then.startswith("{"):  # the first statement of a block, comments aside
                then = re.sub(r"^\{\s*(//[^\n]*\s*)*", "", then)
            *_, condition = split_top(inside, ";")
            initial = inside[:len(inside) - len(condition)]
            refuses = re.match(r"(return |result = )?(fail|refuse|share_invalid|inner\.refuse|ar\.refuse)\b", then) or \
                re.match(r"return (std::unexpected|result|added)", then) and re.search(r"decode<|parse\(", initial)
            leaves = self.statements and re.match(
                r"(return( \{\}| std::nullopt| false| true| [\w:]+\{0\})?|continue|break);", then)
            if not refuses and not leaves:
                continue
            condition = condition.strip()
            if re.match(r"(const )?[\w:<>*& ]+ \w+ = ", condition):
                continue  # a declaration
            line = text.count("\n", 0, match.start()) + 1
            parts = split_top(condition, "||")
            whole = self.number(file, line, f"never: {condition}")
            if len(parts) > 1:
                condition = " || ".join("(" + self.switched(file, line, f"without: {part.strip()}", part) + ")"
                                        for part in parts)
            if whole is not None:
                condition = f"mutants::off({whole}) && ({condition})"
            edits.append((opening + 1, end, initial + " " + condition))
        if self.statements:
            pattern = r"^ {2,}((?:(?:\w+(?:\.|->))*\w*_|(?:\w+(?:\.|->))+\w+|complete|peer_closed|warning_alerts) = [^;\n]*);\n"
            for match in re.finditer(pattern, text, re.M):
                line = text.count("\n", 0, match.start()) + 1
                number = self.number(file, line, f"deleted: {match.group().strip()}")
                if number is not None:
                    edits.append((match.start(1), match.end(1),
                                  f"mutants::off({number}) ? (void)({match.group(1)}) : (void)0"))
        for start, end, replacement in sorted(edits, reverse=True):
            text = text[:start] + replacement + text[end:]
        return text


class Build:
    def __init__(self, folder):
        self.folder = folder
        self.cxx = shlex.split(os.environ.get("CXX", "c++"))
        self.flags = ["-std=c++2b", "-O0", "-w", "-DTLSCONNECT_SEPARATE_COMPILATION", "-include",
                      str(folder / "switch.hpp"), "-I", str(folder / "include"), "-I", str(ROOT / "tests/support"),
                      *self.pkg_config("--cflags")]
        self.libs = self.pkg_config("--libs", "--static")
        (folder / "switch.hpp").write_text(SWITCH)

    @staticmethod
    def pkg_config(*arguments):
        done = subprocess.run(["pkg-config", *arguments, "botan-3", "catch2-with-main"], check=True, text=True,
                              stdout=subprocess.PIPE)
        return shlex.split(done.stdout)

    def compile(self, source):
        output = self.folder / f"{source.parent.name}_{source.stem}.o"
        done = subprocess.run([*self.cxx, *self.flags, "-c", str(source), "-o", str(output)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise RuntimeError(f"{source} does not compile:\n{done.stdout}")
        return output

    def link(self, objects):
        program = self.folder / "tests"
        done = subprocess.run([*self.cxx, *map(str, objects), *self.libs, "-o", str(program)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise RuntimeError(f"the tests do not link:\n{done.stdout}")
        return program


def outcome_of(program, number):
    """Of the tests with that mutant at work (-1: none)."""
    environment = dict(os.environ, TLSCONNECT_STATE_DIAGRAM=str(ROOT / "docs/state-machine.md"),
                       TLSCONNECT_MUTANT=str(number))
    environment.pop("TLSCONNECT_UPDATE_DOCS", None)
    try:
        done = subprocess.run([str(program), "--abort"], text=True, errors="replace", env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)))
    except subprocess.TimeoutExpired:
        return "hangs", ""
    return ("survives" if done.returncode == 0 else "killed"), done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", action="store_true", help="the mutants, and nothing else")
    parser.add_argument("--only", default="", metavar="REGEX", help='those whose "file:line what" matches')
    parser.add_argument("--statements", action="store_true", help="also early exits and assignments")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()

    mutants = Mutants(options.statements, options.only)
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        folder = Path(name)
        shutil.copytree(ROOT / "include", folder / "include")
        for target in TARGETS:
            path = folder / "include/tlsconnect" / target
            path.write_text(mutants.put_into(target, path.read_text()))
        if options.list:
            for number, (file, line, what) in enumerate(mutants.all):
                print(f"{number:3} {file}:{line} {what}")
            return 0

        build = Build(folder)
        bodies = folder / "bodies.cpp"
        bodies.write_text("#include <tlsconnect/src.hpp>\n")
        support = [*(ROOT / "tests/support").glob("scripted_*.cpp"), ROOT / "tests/support/test_pki.cpp"]
        sources = [bodies, *support, *(ROOT / f"tests/{test}.cpp" for test in TESTS)]
        try:
            program = build.link(list(pool.map(build.compile, sources)))
        except RuntimeError as error:
            sys.exit(str(error))
        outcome, output = outcome_of(program, -1)
        if outcome != "survives":
            sys.exit(f"the tests fail without any mutant:\n{output}")
        print(f"{len(mutants.all)} mutants", flush=True)

        survivors = 0
        numbers = range(len(mutants.all))
        for number, (outcome, _) in zip(numbers, pool.map(lambda n: outcome_of(program, n), numbers)):
            file, line, what = mutants.all[number]
            if outcome == "survives" and (file, what) in EQUIVALENT:
                outcome = "equivalent: " + EQUIVALENT[file, what]
            survivors += outcome == "survives"
            print(f"{number:3} {outcome:8} {file}:{line} {what}", flush=True)
        print(f"{survivors} survivors")
        return min(survivors, 99)


if __name__ == "__main__":
    sys.exit(main())
