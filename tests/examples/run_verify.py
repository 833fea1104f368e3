#!/usr/bin/env python3
"""Runs the example `verify_chain` on a chain that OpenSSL's program makes.

run_verify.py VERIFY_CHAIN

Without the program openssl, the test is skipped (exit status 77).
"""
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

NAME = "demo.tlsconnect.test"


def certificate(folder, name, extensions, issuer=None):
    """A key and a certificate, signed by itself or by an issuer made before."""
    of_issuer = ["-CA", folder / f"{issuer}.pem", "-CAkey", folder / f"{issuer}.key"] if issuer else []
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem",
                    *of_issuer, *[part for text in extensions for part in ("-addext", text)]],
                   check=True, capture_output=True)


def main():
    if not shutil.which("openssl"):
        sys.exit(77)
    problems = []
    with tempfile.TemporaryDirectory(prefix="tlsconnect-example-") as name:
        folder = pathlib.Path(name)
        authority = ["basicConstraints=critical,CA:TRUE"]
        certificate(folder, "Root", authority)
        certificate(folder, "Other", authority)
        certificate(folder, "leaf", [f"subjectAltName=DNS:{NAME}", "basicConstraints=critical,CA:FALSE"], "Root")
        (folder / "empty.pem").write_text("nothing\n")
        (folder / "two.pem").write_text((folder / "Root.pem").read_text() +
                                        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")

        def expect(status, texts, *arguments):
            result = subprocess.run([sys.argv[1], *arguments], capture_output=True, text=True, timeout=60, check=False)
            output = result.stdout + result.stderr
            problems.extend(f"{arguments}: not in the output: {text!r}\n{output}" for text in texts if text not in output)
            if result.returncode != status:
                problems.append(f"{arguments}: exit status {result.returncode}, expected {status}\n{output}")

        leaf, root = folder / "leaf.pem", folder / "Root.pem"
        expect(0, ["trusted: 1 certificates from", f"accepted: {NAME} is covered by dNSName", "1. CN=leaf", "2. CN=Root",
                   "pin sha256/"], "--ca", root, leaf, NAME)
        expect(0, ["skipped: ", "certificate number 2"], "--ca", folder / "two.pem", leaf, NAME)
        expect(1, ["refused: ", "the name asked for is other.test"], "--ca", root, leaf, "other.test")
        expect(1, ["refused: ", "neither among the 1 trust anchors"], "--ca", folder / "Other.pem", leaf, NAME)
        late = str(int(time.time()) + 10 * 86400)
        expect(1, ["refused: ", "expired", "besides"], "--at", late, "--ca", root, leaf, NAME)
        expect(1, ["refused: "], "--ca", root, folder / "empty.pem", NAME)
        expect(2, ["cannot be read"], "--ca", root, folder / "missing.pem", NAME)
        expect(2, ["usage: "], leaf)
    for problem in problems:
        print(problem, file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
