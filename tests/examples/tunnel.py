"""Copies between standard input and output and a TCP connection: a stand-in for nc, which not every machine has."""
import os
import socket
import sys
import threading


def main():
    connection = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=30)

    def upwards():
        while data := os.read(sys.stdin.fileno(), 65536):
            connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)

    threading.Thread(target=upwards, daemon=True).start()
    while data := connection.recv(65536):
        while data:
            data = data[os.write(sys.stdout.fileno(), data):]


main()
