"""Calls the compiler the way Meson does: with the command by which it compiles one file of this build."""
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess

SEPARATE = "-DTLSCONNECT_SEPARATE_COMPILATION"


class Toolchain:
    def __init__(self, build, reference):
        """`reference` is the source file (header-only mode) whose command is taken from the build folder."""
        build = pathlib.Path(build)
        self.folder = build
        entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
        wanted = pathlib.Path(reference).resolve()
        for entry in entries:
            if (pathlib.Path(entry["directory"]) / entry["file"]).resolve() == wanted:
                self.command = self._plain(shlex.split(entry["command"]), entry["file"])
                return
        raise SystemExit(f"{reference} is not in the compilation database of {build}")

    @staticmethod
    def _plain(arguments, source):
        """Without the file, the output, the dependency file, and what only costs time."""
        result = []
        skip = False
        for argument in arguments:
            if skip:
                skip = False
            elif argument in ("-o", "-MF", "-MQ", "-MT"):
                skip = True
            elif argument in ("-c", "-MD", "-MMD", source, SEPARATE) or argument.startswith(("-O", "-g")):
                pass
            else:
                result.append(argument)
        return [*result, "-O0"]

    def run(self, *arguments, text=None):
        """Returns the exit status, stdout and stderr. `text` is compiled from stdin, when given."""
        command = [*self.command, *map(str, arguments)]
        if text is not None:
            command += ["-x", "c++", "-"]
        environment = dict(os.environ, LC_ALL="C")
        result = subprocess.run(command, cwd=self.folder, input=text, capture_output=True, text=True, env=environment,
                                check=False, **({} if text is not None else {"stdin": subprocess.DEVNULL}))
        return result.returncode, result.stdout, result.stderr


def in_parallel(function, items):
    """function(item) for all of them, as many at a time as there are processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(function, items))


def first_lines(text, count=12):
    return "\n".join("    " + line[:200] for line in text.splitlines()[:count])


def report(problems, done):
    for problem in problems:
        print(f"FAILED: {problem}")
    if problems:
        raise SystemExit(1)
    print(done)
