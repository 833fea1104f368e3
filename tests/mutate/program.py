"""Compiles the tests with all mutants in one program, and runs it with one mutant at work after another."""
import os
import re
import resource
import shlex
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# A mutant that goes round for ever may collect bytes as it goes.
MEMORY = 4 << 30
SECONDS = 120
# The quick tests go first: so many seconds of them, then the others.
FIRST_HELPING = 0.3
MUTANTS_MAX = 16384
SKIPPED = 4  # all tests, says Catch2

# What every mutated file sees first. In constant expressions no mutant is at work.
SWITCH = """#pragma once
#include <cstdlib>
namespace mutants {
inline unsigned char reached[%d]; // by the test that runs
inline int active() noexcept {
  static const int number = [] {
    const char* text = std::getenv("TLSCONNECT_MUTANT");
    return text ? std::atoi(text) : -1;
  }();
  return number;
}
constexpr bool off(int number) noexcept {
  if consteval {
    return true;
  } else {
    reached[number] = 1;
    return active() != number;
  }
}
}
""" % MUTANTS_MAX
# Writes down which switches each test comes by, and how long it takes: who does not come by cannot notice.
LISTENER = """#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <catch2/catch_test_case_info.hpp>
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>
namespace {
class Reached : public Catch::EventListenerBase {
public:
  using EventListenerBase::EventListenerBase;
  void testCaseStarting(const Catch::TestCaseInfo&) override {
    if (!first_)
      std::fill(std::begin(mutants::reached), std::end(mutants::reached), 0);
    first_ = false;
    start_ = std::chrono::steady_clock::now();
  }
  void testCaseEnded(const Catch::TestCaseStats& stats) override {
    const char* path = std::getenv("TLSCONNECT_MUTANTS_REACHED");
    if (path == nullptr)
      return;
    std::ofstream out(path, std::ios::app);
    out << std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count() << '\\t';
    for (std::size_t i = 0; i < std::size(mutants::reached); ++i)
      if (mutants::reached[i] != 0)
        out << i << ' ';
    out << '\\t' << stats.testInfo->name << '\\n';
  }

private:
  bool first_ = true; // what happened before belongs to the first test
  std::chrono::steady_clock::time_point start_;
};
} // namespace
CATCH_REGISTER_LISTENER(Reached)
"""


class Failed(Exception):
    """The tests cannot be compiled, or fail without any mutant."""


def write(path, text):
    """Leaves a file alone that has this text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


class Program:
    """The tests of an area, in a folder. What was compiled there before and has not changed since is kept."""

    def __init__(self, area, mutants, folder):
        self.area, self.folder, self.program = area, folder, folder / "tests"
        for source in (ROOT / "include").rglob("*.?pp"):
            file = str(source.relative_to(ROOT / "include/tlsconnect"))
            if file not in area.targets:
                write(folder / "include/tlsconnect" / file, source.read_text())
        for target in area.targets:
            write(folder / "include/tlsconnect" / target,
                  mutants.put_into(target, (ROOT / "include/tlsconnect" / target).read_text()))
        assert len(mutants.all) <= MUTANTS_MAX
        self.reached = []  # of each test: (seconds, numbers, name)

    # ---- compiling ----

    def build(self, pool):
        write(self.folder / "switch.hpp", SWITCH)
        write(self.folder / "listener.cpp", LISTENER)
        write(self.folder / "bodies.cpp", "#include <tlsconnect/src.hpp>\n")
        self.cxx = shlex.split(os.environ.get("CXX", "c++"))
        self.flags = ["-std=c++2b", "-O0", "-w", "-DTLSCONNECT_SEPARATE_COMPILATION", "-D_GLIBCXX_ASSERTIONS", "-I",
                      str(self.folder / "include"), "-I", str(ROOT / "tests/support"), *self.pkg_config("--cflags")]
        sources = [self.folder / "bodies.cpp", self.folder / "listener.cpp", *self.sources(self.area.support),
                   *self.sources(self.area.tests)]
        first = {folder: self.precompile(folder) for folder in {source.parent for source in sources}}
        jobs = [pool.submit(self.compile, source, f"{source.parent.name}_{source.stem}.o", "-include",
                            str(first[source.parent])) for source in sources]
        self.run([*self.cxx, *(str(job.result()) for job in jobs), *self.pkg_config("--libs", "--static"), "-o",
                  str(self.program)])

    @staticmethod
    def sources(patterns):
        found = [path for pattern in patterns for path in sorted((ROOT / "tests").glob(pattern + ".cpp"))]
        return list(dict.fromkeys(found))

    @staticmethod
    def run(command):
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise Failed(f"{shlex.join(command)}\n{done.stdout}")
        return done.stdout

    def pkg_config(self, *arguments):
        return shlex.split(self.run(["pkg-config", *arguments, "botan-3", "catch2-with-main"]))

    def precompile(self, folder):
        """What every file of a folder of tests sees first."""
        shared = folder / "pch/support.hpp"
        if not shared.exists():
            return self.folder / "switch.hpp"
        first = self.folder / f"{folder.name}.hpp"
        write(first, f'#include "switch.hpp"\n#include "{shared}"\n')
        self.compile(first, f"{first.name}.gch", "-x", "c++-header")
        return first

    def compile(self, source, name, *arguments):
        output, needs = self.folder / name, self.folder / (name + ".d")
        if output.exists() and needs.exists():
            # The headers that are precompiled are not named there.
            files = [*needs.read_text().replace("\\\n", " ").partition(":")[2].split(),
                     *(f"{one}.gch" for one in arguments if Path(f"{one}.gch").exists())]
            if all(Path(file).exists() and Path(file).stat().st_mtime <= output.stat().st_mtime for file in files):
                return output
        self.run([*self.cxx, *self.flags, *arguments, "-MD", "-MF", str(needs), "-c", str(source), "-o", str(output)])
        return output

    # ---- running ----

    def passes(self, number, tests=None, seconds=SECONDS, **environment):
        """Whether the tests (their names; none: all) pass in time with that mutant at work; and what they say."""
        environment = dict(os.environ, TLSCONNECT_MUTANT=str(number), **environment,
                           **{key: value.format(root=ROOT) for key, value in self.area.environment.items()})
        environment.pop("TLSCONNECT_UPDATE_DOCS", None)
        command = [str(self.program), "--abort"]
        if tests is not None:
            names = self.folder / f"names_{number}.txt"
            names.write_text("".join(re.sub(r'([\\,\["])', r"\\\1", name) + "\n" for name in tests))
            command += ["--input-file", str(names)]
        done = subprocess.run(command, text=True, errors="replace", env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds, cwd=self.folder,
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)))
        if tests is not None:
            names.unlink()
        return done.returncode in (0, SKIPPED), done.stdout

    def run_unchanged(self):
        reached = self.folder / "reached.txt"
        reached.unlink(missing_ok=True)
        passed, output = self.passes(-1, TLSCONNECT_MUTANTS_REACHED=str(reached))
        if not passed:
            raise Failed(f"the tests fail without any mutant:\n{output}")
        for line in reached.read_text().splitlines():
            seconds, numbers, name = line.split("\t")
            self.reached.append((float(seconds), {int(number) for number in numbers.split()}, name))
        self.reached.sort(key=lambda one: one[0])
        passed, output = self.passes(-1, [name for *_, name in self.reached])
        if not passed:
            raise Failed(f"the tests cannot be run by their names:\n{output}")
        self.seconds = sum(seconds for seconds, *_ in self.reached)

    def outcome(self, number):
        """"killed", "hangs", "survives" or "not reached" """
        first, rest, spent = [], [], 0.0
        for seconds, numbers, name in self.reached:
            if number in numbers:
                spent += seconds
                (first if spent <= FIRST_HELPING or not first else rest).append(name)
        try:
            for helping, expected in ((first, FIRST_HELPING), (rest, spent)):
                if helping and not self.passes(number, helping, min(SECONDS, 5 + 10 * expected))[0]:
                    return "killed"
        except subprocess.TimeoutExpired:
            return "hangs"
        return "survives" if first else "not reached"
