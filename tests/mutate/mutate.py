#!/usr/bin/env python3
"""Deletes the checks of an area one after another and shows that a test notices.

    tests/mutate/mutate.py AREA [--list] [--only REGEX] [--statements] [--jobs N] [--folder FOLDER]

The areas stand in tests/mutate/areas: which files are mutated, and which tests are to notice. Every `if` that refuses
something becomes a mutant in which its condition is false, and one more for each part of a condition with `||`. Where
a check has other shapes (`conditions` in the area), every other `if` becomes one that is always and one that is never
taken, and of each condition that is returned or kept, each part of `&&` is made true and each part of `||` false.
With --statements, every `if` that leaves its function or loop without an error counts as well, and every assignment
to a member is deleted. A mutant that all tests accept is a survivor: a check without a test, or one that something
else makes superfluous. The exit status is the number of survivors.

All mutants are compiled into one program, each behind a switch that TLSCONNECT_MUTANT throws. The program first tells
which tests come by which switch, so that a mutant costs a run of those tests, the quick ones first, up to the first
that fails. Needs the compiler ($CXX, default c++) and pkg-config with botan-3 and catch2-with-main; works in a temporary
folder, or in FOLDER, where the next run compiles only what has changed; touches nothing in the repository.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import importlib
import os
import re
import sys
import tempfile
from pathlib import Path

from finder import Mutants
from program import Failed, Program

AREAS = sorted(file.stem for file in (Path(__file__).parent / "areas").glob("*.py"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("area", choices=AREAS)
    parser.add_argument("--list", action="store_true", help="the mutants, and nothing else")
    parser.add_argument("--only", default="", metavar="REGEX", help='those whose "file:line what" matches')
    parser.add_argument("--statements", action="store_true", help="also early exits and assignments")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--folder", type=Path, help="where to compile, and to find what was compiled there before")
    options = parser.parse_args()

    area = importlib.import_module(f"areas.{options.area}").AREA
    mutants = Mutants(area, options.statements)
    with contextlib.ExitStack() as stack:
        folder = (options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))).resolve()
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(options.jobs))
        program = Program(area, mutants, folder)
        wanted = [number for number, (file, line, what) in enumerate(mutants.all)
                  if re.search(options.only, f"{file}:{line} {what}")]
        if options.list:
            for number in wanted:
                file, line, what = mutants.all[number]
                print(f"{number:4} {file}:{line} {what}")
            return 0
        try:
            program.build(pool)
            program.run_unchanged()
        except Failed as error:
            sys.exit(str(error))
        print(f"{len(wanted)} mutants, {len(program.reached)} tests of {program.seconds:.1f} s", flush=True)

        seen = collections.Counter()
        excuses = []  # of each mutant: why no test can tell it
        for file, _, what in mutants.all:
            seen[file, what] += 1
            excuses.append(area.equivalent.get((file, what), area.equivalent.get((file, what, seen[file, what]))))
        survivors = 0
        for number, outcome in zip(wanted, pool.map(program.outcome, wanted)):
            file, line, what = mutants.all[number]
            if outcome in ("survives", "not reached"):
                survivors += not excuses[number]
                outcome = f"equivalent ({excuses[number]})" if excuses[number] else outcome
            elif excuses[number]:
                outcome += " (though it is said to be equivalent)"
            print(f"{number:4} {outcome:8} {file}:{line} {what}", flush=True)
        named = {(file, what) for file, _, what in mutants.all}
        for entry in area.equivalent.keys():
            if entry[:2] not in named and (options.statements or not entry[1].startswith("deleted: ")):
                print("said to be equivalent, but no mutant:", *entry)
        print(f"{survivors} survivors")
        return min(survivors, 99)


if __name__ == "__main__":
    sys.exit(main())
