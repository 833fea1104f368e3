"""Installs tlsconnect into a folder of its own and builds a program against what is there.

Usage: run_install.py MODE SOURCE-ROOT MESON PKG-CONFIG-PATH COMPILER...

MODE          header-only, separate (both: installed, found through pkg-config), or subproject
PKG-CONFIG-PATH   where the build that runs this test looks for Botan, separated by commas; may be empty
"""
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile


def main():
    mode, source, meson, pkg_config_path, *compiler = sys.argv[1:]
    source = pathlib.Path(source).resolve()
    consumer_source = source / "tests" / "install" / "consumer"
    search = [path for path in pkg_config_path.split(",") if path]
    environment = dict(os.environ, CXX=shlex.join(compiler))
    environment.pop("DESTDIR", None)

    with tempfile.TemporaryDirectory(prefix="tlsconnect-install-") as name:
        folder = pathlib.Path(name)

        def run(*command):
            result = subprocess.run([str(part) for part in command], env=environment, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            if result.returncode != 0:
                sys.exit(f"FAILED: {shlex.join(map(str, command))}\n{result.stdout[-6000:]}")
            return result.stdout

        def set_up(build, project, *options, paths=()):
            # Nothing may be downloaded; what is missing is a failure.
            run(meson, "setup", folder / build, project, "-Dbuildtype=plain", "--wrap-mode=nodownload",
                "-Dpkg_config_path=" + ",".join([*map(str, paths), *search]), *options)

        def build_and_run(expected_mode, *libraries):
            run(meson, "compile", "-C", folder / "consumer")
            environment["LD_LIBRARY_PATH"] = ":".join([*map(str, libraries), os.environ.get("LD_LIBRARY_PATH", "")])
            output = run(folder / "consumer" / "consumer")
            if f"mode: {expected_mode}" not in output:
                sys.exit(f"FAILED: the program should say {expected_mode}: {output}")
            print(output, end="")

        if mode == "subproject":
            project = folder / "project"
            (project / "subprojects").mkdir(parents=True)
            shutil.copy(consumer_source / "meson.build", project)
            # That all bodies compile in header-only mode has been seen with the installed headers.
            shutil.copy(consumer_source.parent / "small.cpp", project / "main.cpp")
            # What a user's own wrap file says, only that the sources are there already.
            (project / "subprojects" / "tlsconnect").symlink_to(source, target_is_directory=True)
            (project / "subprojects" / "tlsconnect.wrap").write_text(
                "[wrap-file]\ndirectory = tlsconnect\n\n[provide]\ndependency_names = tlsconnect\n", encoding="utf-8")
            set_up("consumer", project, "--force-fallback-for=tlsconnect")
            build_and_run("header-only")
            return

        prefix = folder / "prefix"
        set_up("library", source, f"--prefix={prefix}", "--libdir=lib", "-Dtests=disabled", "-Dexamples=disabled",
               f"-Dseparate_compilation={'true' if mode == 'separate' else 'false'}")
        run(meson, "compile", "-C", folder / "library")
        run(meson, "install", "-C", folder / "library", "--no-rebuild")

        # All headers, and nothing that does not belong to them.
        wanted = {path.relative_to(source / "include") for path in (source / "include").rglob("*") if path.is_file()}
        found = {path.relative_to(prefix / "include") for path in (prefix / "include").rglob("*") if path.is_file()}
        if wanted != found:
            sys.exit(f"FAILED: installed headers differ: {sorted(map(str, wanted ^ found))}")
        compiled = list((prefix / "lib").glob("libtlsconnect*"))
        if bool(compiled) != (mode == "separate"):
            sys.exit(f"FAILED: in mode {mode} these libraries were installed: {compiled}")

        # The sources must not be needed any more: only the prefix is named from here on.
        set_up("consumer", consumer_source, paths=[prefix / "lib" / "pkgconfig"])
        build_and_run(mode, prefix / "lib")


main()
