#!/usr/bin/python3
"""real-service.py PORT [--start-delay-ms N] | --print

A web service of the distribution's own Python, with libraries as services use them. It answers {"host", "library"}:
the version of OpenSSL, and the code that this very process has mapped, as a checksum over the build IDs that stand in
its memory. /?ms=N answers after N ms; /health answers 200. --print says what a process started now would answer.
"""
import bz2, ctypes, lzma, pyexpat, sqlite3, uuid, zlib  # noqa: F401, E401: for what they map
import hashlib, json, os, ssl, struct, sys, time  # noqa: E401
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from urllib.parse import parse_qs, urlsplit

PT_NOTE = 4
NT_GNU_BUILD_ID = 3


def build_id(memory, start):
    """The build ID of the 64-bit ELF file whose beginning is mapped at `start`; None: it has none."""
    memory.seek(start)
    header = memory.read(64)
    if header[:5] != b"\x7fELF\x02":
        return None
    (table_at,) = struct.unpack_from("<Q", header, 32)
    size, count = struct.unpack_from("<HH", header, 54)
    memory.seek(start + table_at)
    table = memory.read(size * count)
    for number in range(count):
        kind, _, offset, _, _, length = struct.unpack_from("<IIQQQQ", table, number * size)
        if kind != PT_NOTE:
            continue
        memory.seek(start + offset)
        notes = memory.read(length)
        at = 0
        while at + 12 <= len(notes):
            name, content, note = struct.unpack_from("<III", notes, at)
            content_at = at + 12 + (name + 3) // 4 * 4
            if note == NT_GNU_BUILD_ID and notes[at + 12 : at + 16] == b"GNU\0":
                return notes[content_at : content_at + content].hex()
            at = content_at + (content + 3) // 4 * 4
    return None


def mapped_code():
    """File and build ID of all code in this process."""
    found = set()
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps.read().splitlines():
            fields = line.split(maxsplit=5)
            if len(fields) < 6 or not fields[5].startswith("/") or fields[2] != "00000000":
                continue
            identity = build_id(memory, int(fields[0].split("-")[0], 16))
            if identity is not None:
                found.add(f"{fields[5]} {identity}")
    return sorted(found)


def describe():
    code = hashlib.sha256("\n".join(mapped_code()).encode()).hexdigest()[:8]
    return f"{' '.join(ssl.OPENSSL_VERSION.split()[:2])}, code {code}"


LIBRARY = describe()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/health":
            body = {"ok": True}
        else:
            time.sleep(int(parse_qs(url.query).get("ms", ["0"])[0]) / 1000)
            body = {"host": os.uname().nodename, "library": LIBRARY}
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 128

    def server_bind(self):
        # Not http.server's own, which asks a name server for this machine's name.
        TCPServer.server_bind(self)


def main():
    words = sys.argv[1:]
    if words == ["--print"]:
        print(LIBRARY)
        return
    if "--start-delay-ms" in words:
        time.sleep(int(words[words.index("--start-delay-ms") + 1]) / 1000)
    Server(("", int(words[0])), Handler).serve_forever()


main()
