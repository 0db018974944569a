#!/usr/bin/env python3
"""A second verifier of audit bundles, written from docs/reference/audit-format.md alone.

usage: verify_bundle.py BUNDLE PUBLIC_KEY...     (base64 of Ed25519 keys, DER, SPKI)

Python's standard library, and openssl(1) for signatures. Exit code 0: intact; 1: not.
"""
import base64
import decimal
import gzip
import hashlib
import json
import subprocess
import sys
import tempfile

BEGINS = {"restart-begun", "upgrade-begun"}
ENDS = {"restart-ended", "restart-failed", "restart-refused", "upgrade-ended"}
SERVER_ENDS = {"grant-ended", "grant-failed"}
ZEROS = "0" * 64
KEYS = {
    "start": ["after", "format", "type"],
    "record": ["chain", "hash", "life", "record", "seq", "type"],
    "checkpoint": ["changed", "checkpoint", "type"],
    "end": ["at", "checkpoint", "keyId", "of", "records", "signature", "type"],
}


class Broken(Exception):
    pass


def number(value):
    """A number as ECMAScript writes it (RFC 8785, 3.2.2.3)."""
    if isinstance(value, int):
        if abs(value) > 2**53:
            value = float(value)
        else:
            return str(value)
    if value == 0:
        return "0"
    sign, digits, exponent = decimal.Decimal(repr(value)).as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    exponent += len(digits) - len(text)
    point = len(text) + exponent
    if 0 < point <= 21:
        body = text.ljust(point, "0") if point >= len(text) else text[:point] + "." + text[point:]
    elif -6 < point <= 0:
        body = "0." + "0" * -point + text
    else:
        shown = text[0] + ("." + text[1:] if len(text) > 1 else "")
        body = "%se%s%d" % (shown, "+" if point > 0 else "-", abs(point - 1))
    return ("-" if sign else "") + body


def canonical(value):
    """Canonical JSON (RFC 8785)."""
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return "{" + ",".join(canonical(key) + ":" + canonical(value[key]) for key in keys) + "}"


def sha256(data):
    return hashlib.sha256(data).digest()


def hash_of(value):
    return sha256(canonical(value).encode()).hex()


def root_of(leaves):
    """RFC 6962, 2.1, over the leaves in the order of chain and life."""
    level = [sha256(b"\0" + canonical(list(leaf)).encode()) for leaf in leaves]
    if not level:
        return sha256(b"").hex()
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [pair[0] if len(pair) == 1 else sha256(b"\1" + pair[0] + pair[1]) for pair in pairs]
    return level[0].hex()


def check_signature(statement, keys):
    key = keys.get(statement["keyId"])
    if key is None:
        raise Broken("signed with a key that is not believed: " + statement["keyId"])
    signature = base64.b64decode(statement["signature"], validate=True)
    if base64.b64encode(signature).decode() != statement["signature"]:
        raise Broken("a signature is spelled otherwise")
    content = {name: value for name, value in statement.items() if name != "signature"}
    with tempfile.NamedTemporaryFile() as der, tempfile.NamedTemporaryFile() as sig, tempfile.NamedTemporaryFile() as data:
        for file, content_bytes in (
            (der, key),
            (sig, signature),
            (data, canonical(content).encode()),
        ):
            file.write(content_bytes)
            file.flush()
        command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER"]
        command += ["-inkey", der.name, "-sigfile", sig.name, "-in", data.name]
        if subprocess.run(command, capture_output=True).returncode != 0:
            raise Broken("a signature does not fit")


def verify(lines, keys):
    links, leaves, grown, begun, server_ended = {}, {}, set(), {}, set()
    last = {"number": 0, "hash": ZEROS}
    unended = []
    records = checkpoints = 0
    end = None
    for index, text in enumerate(lines):
        line = json.loads(text)
        if canonical(line) != text:
            raise Broken("line %d is not canonical" % (index + 1))
        if end is not None:
            raise Broken("there is more after the end")
        if sorted(line) != KEYS.get(line["type"]):
            raise Broken("line %d has other keys" % (index + 1))
        if (index == 0) != (line["type"] == "start"):
            raise Broken("no start, or one in the middle")
        if line["type"] == "start":
            if line["format"] != 1 or line["after"] is not None:
                raise Broken("not a whole bundle of format 1")
        elif line["type"] == "record":
            records += 1
            chain, record = (line["chain"], line["life"]), line["record"]
            seq, head = links.get(chain, (0, ZEROS))
            if (line["seq"], record["seq"], record["previous"]) != (seq + 1, seq + 1, head):
                raise Broken("record %d of %s does not follow" % (line["seq"], chain))
            host = "@server" if line["chain"] == "server" else line["chain"]
            if (record["host"], record["life"]) != (host, line["life"]):
                raise Broken("record %d of %s is another's" % (line["seq"], chain))
            if hash_of(record) != line["hash"]:
                raise Broken("record %d of %s was changed" % (line["seq"], chain))
            links[chain] = (line["seq"], line["hash"])
            grown.add(chain)
            action, grant = record["action"], record["grant"]
            if action in BEGINS:
                # It began again: what comes is the outcome of this one. Without a grant none can come.
                if (chain, grant) in begun:
                    unended.append(begun[chain, grant])
                begun[chain, grant] = record["subject"]
            elif grant is not None and action in ENDS:
                begun.pop((chain, grant), None)
            elif grant is not None and line["chain"] == "server" and action in SERVER_ENDS:
                server_ended.add(grant)
        elif line["type"] == "checkpoint":
            checkpoints += 1
            checkpoint = line["checkpoint"]
            check_signature(checkpoint, keys)
            if (checkpoint["number"], checkpoint["previous"]) != (last["number"] + 1, last["hash"]):
                raise Broken("checkpoint %d does not follow" % checkpoint["number"])
            told = [(leaf[0], leaf[1]) for leaf in line["changed"]]
            if set(told) != grown or len(told) != len(grown):
                raise Broken("checkpoint %d has not seen the same chains" % checkpoint["number"])
            for chain, life, length, head in line["changed"]:
                if links[(chain, life)] != (length, head):
                    raise Broken("checkpoint %d has seen other records" % checkpoint["number"])
                leaves[(chain, life)] = (chain, life, length, head)
            grown.clear()
            by_utf16 = lambda key: " ".join(key).encode("utf-16-be")
            ordered = [leaves[key] for key in sorted(leaves, key=by_utf16)]
            if (checkpoint["root"], checkpoint["chains"]) != (root_of(ordered), len(ordered)):
                raise Broken("checkpoint %d is over other records" % checkpoint["number"])
            last = {"number": checkpoint["number"], "hash": hash_of(checkpoint)}
        elif line["type"] == "end":
            end = line
            if line["of"] != "export":
                raise Broken("a part, not a whole trail")
            check_signature(line, keys)
            if (line["records"], line["checkpoint"]) != (records, last) or grown:
                raise Broken("the end is that of other records")
        else:
            raise Broken("line %d is of no known type" % (index + 1))
    if end is None:
        raise Broken("the end was cut")
    left = unended + [subject for (_, grant), subject in begun.items() if grant not in server_ended]
    if left:
        raise Broken("no outcome: " + ", ".join(left))
    return "intact: %d records, %d checkpoints" % (records, checkpoints)


def main():
    path, *given = sys.argv[1:]
    keys = {}
    for text in given:
        der = base64.b64decode(text)
        keys[sha256(der).hex()[:16]] = der
    with open(path, "rb") as file:
        data = file.read()
    try:
        plain = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
        print(verify(plain.decode().removesuffix("\n").split("\n"), keys))
    except (Broken, KeyError, TypeError, ValueError, EOFError) as error:
        print("NOT INTACT: %s" % error)
        sys.exit(1)


main()
