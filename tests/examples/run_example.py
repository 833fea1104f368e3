#!/usr/bin/env python3
"""Runs an example against a demo server of its own.

run_example.py [--exit N] [--expect TEXT]… [--reject TEXT]… [--expect-size N] [--connections N] [--server ARGUMENT]…
               -- DEMO_SERVER EXAMPLE [ARGUMENT…]

In the arguments {port}, {ca}, {other_ca} and {store} stand for the server's port, for its certificate, for a certificate
that it has nothing to do with, and for a file that does not exist yet. SSL_CERT_FILE names the server's certificate, for examples that trust the system's store.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile
import time

PATIENCE = 60  # seconds


def start_server(command, folder, name, connections, extra):
    """Starts a server and waits until it has said where it listens."""
    ca, port = folder / f"{name}.pem", folder / f"{name}.port"
    arguments = ["--port", "0", "--ca-out", ca, "--port-file", port, "--max-connections", str(connections), *extra]
    server = subprocess.Popen([command, *arguments], stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + PATIENCE
    while not port.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            stop(server)
            sys.exit(f"the demo server did not start (exit status {server.returncode})")
        time.sleep(0.01)
    return server, str(ca), port.read_text().strip()


def stop(server):
    """Ends the server if it still runs; its exit status."""
    if server.poll() is None:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
    return server.returncode


def check(options, result):
    """What is wrong with the example's result."""
    problems = []
    output = result.stdout.decode(errors="replace")
    everything = output + result.stderr.decode(errors="replace")
    if result.returncode != options.exit:
        problems.append(f"exit status {result.returncode}, expected {options.exit}")
    problems += [f"not in the output: {text!r}" for text in options.expect if text not in everything]
    problems += [f"must not be in the output: {text!r}" for text in options.reject if text in everything]
    if options.expect_size is not None and len(result.stdout) != options.expect_size:
        problems.append(f"{len(result.stdout)} bytes of output, expected {options.expect_size}")
    if "\x1b" in output:
        problems.append("colours in an output that is no terminal")
    return problems


def main():
    split = sys.argv.index("--")
    parser = argparse.ArgumentParser()
    parser.add_argument("--exit", type=int, default=0)
    parser.add_argument("--expect", action="append", default=[])
    parser.add_argument("--reject", action="append", default=[])
    parser.add_argument("--expect-size", type=int)
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--server", action="append", default=[])
    # An argument of the server's begins with dashes too, which argparse would take for an option of this script.
    own = [f"--server={value}" if before == "--server" else value
           for before, value in zip(["", *sys.argv[1:split]], sys.argv[1:split]) if value != "--server"]
    options = parser.parse_args(own)
    demo_server, *command = sys.argv[split + 1:]

    with tempfile.TemporaryDirectory(prefix="tlsconnect-example-") as name:
        folder = pathlib.Path(name)
        server, ca, port = start_server(demo_server, folder, "ca", options.connections, options.server)
        try:
            values = {"port": port, "ca": ca, "store": str(folder / "store")}
            if any("{other_ca}" in argument for argument in command):
                other, values["other_ca"], _ = start_server(demo_server, folder, "other", 1, [])
                stop(other)
            for key, value in values.items():
                command = [argument.replace("{" + key + "}", value) for argument in command]
            environment = dict(os.environ, SSL_CERT_FILE=ca)
            result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, env=environment,
                                    timeout=PATIENCE, check=False)
            problems = check(options, result)
            if not problems:
                # All connections were made and ended, so the server ends too, by itself and content.
                try:
                    server.wait(10)
                except subprocess.TimeoutExpired:
                    problems.append("the demo server still waits for something")
        finally:
            status = stop(server)
        if status != 0:
            problems.append(f"the demo server's exit status is {status}")

    sys.stdout.write(result.stdout.decode(errors="replace")[:20000])
    sys.stderr.write(result.stderr.decode(errors="replace"))
    for problem in problems:
        print(f"FAILED: {problem}", file=sys.stderr)
    sys.exit(1 if problems else 0)


main()
