#!/usr/bin/env python3
"""Runs the example `resume` against OpenSSL's server, which gives tickets that permit early data.

run_resume.py accepted|rejected RESUME

`accepted`: the server takes early data; `rejected`: it takes none, although its tickets permit some. Without the program openssl, the test is skipped (exit status 77).
"""
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

PATIENCE = 30  # seconds
NAME = "demo.tlsconnect.test"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def certificate(folder):
    key, pem = str(folder / "key.pem"), str(folder / "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}",
                    "-addext", "basicConstraints=critical,CA:FALSE", "-keyout", key, "-out", pem],
                   check=True, capture_output=True)
    return key, pem


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One openssl s_server, which answers every request with the same page."""

    def __init__(self, folder, port, more):
        key, pem = str(folder / "key.pem"), str(folder / "cert.pem")
        self.process = subprocess.Popen(
            ["openssl", "s_server", "-quiet", "-accept", f"127.0.0.1:{port}", "-key", key, "-cert", pem, "-alpn",
             "http/1.1", "-no_anti_replay", *more],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.requests = b""
        threading.Thread(target=self.answer, daemon=True).start()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                # The kernel's answer is enough; the server sees a connection that ends at once.
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        sys.exit("the server did not start")

    def answer(self):
        answered = 0
        while block := self.process.stdout.read1(4096):
            self.requests += block
            while self.requests.count(b"\r\n\r\n") > answered:
                answered += 1
                self.process.stdin.write(RESPONSE)
                self.process.stdin.flush()

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


def run(mode, resume, folder):
    if mode == "accepted":
        server_options = ["-early_data", "-max_early_data", "16384"]
    else:
        server_options = ["-max_early_data", "16384"]
    port = free_port()
    server = Server(folder, port, server_options)
    try:
        result = subprocess.run([resume, "--ca", str(folder / "cert.pem"), "--connect-to", f"127.0.0.1:{port}", "--store",
                                 str(folder / "store"), f"https://{NAME}/page"],
                                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False)
    finally:
        server.stop()
    print(result.stdout + result.stderr)
    lines = result.stdout.splitlines()
    outcome = "accepted" if mode == "accepted" else "rejected, sent again"
    problems = []
    if result.returncode != 0 or len(lines) != 2:
        problems.append(f"exit status {result.returncode}, {len(lines)} lines")
    else:
        if not lines[0].startswith("first connection: full handshake, early data not sent (0 of "):
            problems.append("the first connection")
        if not lines[1].startswith(f"second connection: resumed, early data {outcome} ("):
            problems.append("the second connection")
    if server.requests.count(b"GET /page HTTP/1.1\r\n") != 2:
        problems.append(f"the server got {server.requests!r}")
    return problems


def main():
    mode, resume = sys.argv[1:]
    if shutil.which("openssl") is None:
        print("the program openssl is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="tlsconnect-resume-") as name:
        folder = pathlib.Path(name)
        certificate(folder)
        problems = run(mode, resume, folder)
    for problem in problems:
        print(f"FAILED: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
