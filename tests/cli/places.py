#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Places to damage in the segments of an E01 image, by a reader of the format that is not ours.

places.py flips SEGMENT...     a line for each place: segment, offset, what it is, and the extended regular
                                         expression that the sentence of verification must match
places.py amend WHAT SEGMENT             changes a segment so that all its checksums fit: see amend()
Source: "Expert Witness Compression Format specification" (libyal/libewf documentation).
"""
import os
import struct
import sys
import zlib

CHUNK = 32768
DESCRIPTOR = 76


def sections(data):
    at = 13
    while True:
        kind = data[at:at + 16].rstrip(b"\0").decode("ascii")
        following, size = struct.unpack_from("<QQ", data, at + 16)
        end = len(data) if following == at else following
        yield kind, at, at + DESCRIPTOR, end
        if following == at:
            return
        at = following


def descriptor(kind, at, following, behind):
    """The fields of a section descriptor. With a damaged one the chain of sections is broken."""
    said = f"the chain of sections is damaged.* goes on at byte {following} with section {behind}"
    if kind in ("next", "done"):
        said = f"the chain of sections is damaged at byte {at} and does not go on"
    for name, off in (("type", 0), ("end of type", 15), ("next", 16), ("next, high", 23), ("size", 24),
                      ("size, high", 31), ("padding", 50), ("checksum", 72), ("last byte of checksum", 75)):
        yield at + off, f"descriptor of {kind}: {name}", said


def table(kind, start, data):
    count = struct.unpack_from("<I", data, start)[0]
    entries = start + 24
    said = "its mirror table2 is used" if kind == "table" else "the mirror table2 of a table is damaged"
    for name, off in (("number", start), ("padding", start + 4), ("base", start + 8), ("padding 2", start + 16),
                      ("checksum of header", start + 20), ("first entry", entries),
                      ("middle entry", entries + count // 2 * 4 + 1), ("last entry", entries + count * 4 - 1),
                      ("checksum of entries", entries + count * 4)):
        yield off, f"{kind}: {name}", said


def chunks(start, data):
    """(offset, end, compressed) of the chunks of a table section."""
    count, _, base = struct.unpack_from("<IIQ", data, start)
    entries = struct.unpack_from(f"<{count}I", data, start + 24)
    return [(base + (e & 0x7FFFFFFF), bool(e >> 31)) for e in entries]


def in_chunks(list_of, end, first):
    """First, middle and last bytes of some chunks of either kind."""
    seen = {True: 0, False: 0}
    for i, (at, compressed) in enumerate(list_of):
        last = i + 1 == len(list_of)
        stop = end if last else list_of[i + 1][0]
        if seen[compressed] >= 2 and not last:
            continue
        seen[compressed] += 1
        number = first + i
        said = f"damaged from chunk {number} to {number} \\(sectors {number * CHUNK // 512} to "
        name = f"chunk {number}, {'compressed' if compressed else 'raw'}"
        for what, off in (("first byte", at), ("middle", (at + stop) // 2), ("checksum", stop - 4),
                          ("last byte", stop - 1)):
            yield off, f"{name}: {what}", said


def simple(kind, at, start, end):
    for name, off in FIELDS[kind]:
        yield (start + off if off >= 0 else end + off), f"{kind}: {name}", f"section {kind} at byte {at} is damaged"


FIELDS = {
    "header": (("first byte", 0), ("middle", 30), ("last byte", -1)),
    "header2": (("first byte", 0), ("middle", 40), ("last byte", -1)),
    "xheader": (("first byte", 0), ("middle", 40), ("last byte", -1)),
    "xhash": (("first byte", 0), ("middle", 40), ("last byte", -1)),
    "volume": (("media type", 0), ("chunks", 4), ("sectors per chunk", 8), ("sector size", 12), ("sectors", 16),
               ("flags", 36), ("GUID", 64), ("padding", 600), ("signature", 1043), ("checksum", 1048)),
    "data": (("media type", 0), ("chunks", 4), ("sectors per chunk", 8), ("sector size", 12), ("sectors", 16),
             ("GUID", 70), ("padding", 700), ("checksum", 1051)),
    "digest": (("MD5", 0), ("SHA-1", 16), ("padding", 50), ("checksum", 76)),
    "hash": (("MD5", 5), ("padding", 20), ("checksum", 32)),
    "error2": (("number", 0), ("padding", 100), ("checksum of header", 516), ("first sector", 520), ("sectors", 524),
               ("checksum of entries", 536)),
}


def places(data, first):
    """Yields places; returns the number of chunks."""
    yield 0, "signature", "is not an E01 file"
    yield 7, "end of signature", "is not an E01 file"
    yield 8, "start of fields", "is not an E01 file"
    yield 9, "segment number", "is missing"
    yield 10, "segment number, high", "is missing"
    yield 11, "end of fields", "is not an E01 file"
    pending = None
    chain = list(sections(data))
    for (kind, at, start, end), behind in zip(chain, [s[0] for s in chain[1:]] + [""]):
        yield from descriptor(kind, at, end, behind)
        if kind == "sectors":
            pending = end
        elif kind in ("table", "table2"):
            yield from table(kind, start, data)
            if kind == "table":
                found = chunks(start, data)
                yield from in_chunks(found, pending, first)
                first += len(found)
        elif kind in FIELDS:
            yield from simple(kind, at, start, end)
        elif kind not in ("next", "done"):
            raise ValueError(f"no places are known in section {kind}")
    return first


def flips(names):
    first = 0
    for name in names:
        with open(name, "rb") as f:
            data = f.read()
        generator = places(data, first)
        while True:
            try:
                off, what, said = next(generator)
            except StopIteration as end:
                first = end.value
                break
            print(os.path.basename(name), off, what.replace(" ", "_"), said, sep="\t")


def resealed(kind, following, body):
    head = struct.pack("<16sQQ40x", kind.encode(), following, DESCRIPTOR + len(body))
    return head + struct.pack("<I", zlib.adler32(head)) + body


def with_checksum(body, at):
    return body[:at] + struct.pack("<I", zlib.adler32(body[:at])) + body[at + 4:]


# In the image of the test, which has these texts: old ones, and new ones, which are not longer.
TEXTS = {
    "examiner": {"header": ("A. N. Examiner", "Mallory"), "header2": ("A. N. Examiner", "Mallory")},
    "date": {"header": ("2020 9 13 12 26 40", "2017 7 14 2 40 0"), "header2": ("1600000000", "1500000000")},
}


def other_text(kind, at, end, body, texts):
    old, new = (t.encode("ascii" if kind == "header" else "utf-16-le") for t in texts[kind])
    text = zlib.decompress(body)
    if old not in text:
        raise ValueError(f"{texts[kind][0]} is not in {kind}")
    packed = zlib.compress(text.replace(old, new), 9)
    if len(packed) > len(body):
        raise ValueError(f"{kind} became longer")
    # What is left over lies between the sections, so that no offset changes.
    return resealed(kind, end, packed) + bytes(len(body) - len(packed))


def amend(what, name):
    """Changes a segment as somebody who knows the format would: every length and checksum fits again.

    examiner, date: texts of the header; guid: another set identifier; errors: other unreadable sectors
    """
    with open(name, "rb") as f:
        data = f.read()
    out = data[:13]
    for kind, at, start, end in sections(data):
        body = data[start:end]
        if what in TEXTS and kind in TEXTS[what]:
            out += other_text(kind, at, end, body, TEXTS[what])
            continue
        if what == "guid" and kind in ("volume", "data"):
            body = with_checksum(body[:64] + bytes([0x5A] * 16) + body[80:], 1048)
        elif what == "errors" and kind == "error2":
            count = struct.unpack_from("<I", body)[0]
            first = struct.unpack_from("<I", body, 520)[0]
            entries = struct.pack("<I", first + 1) + body[524:520 + count * 8]
            body = body[:520] + entries + struct.pack("<I", zlib.adler32(entries)) + body[524 + count * 8:]
        out += data[at:start] + body
    if len(out) != len(data) or out == data:
        raise ValueError(f"nothing to change in {name}")
    with open(name, "wb") as f:
        f.write(out)


if __name__ == "__main__":
    if sys.argv[1] == "flips":
        flips(sys.argv[2:])
    elif sys.argv[1] == "amend":
        amend(sys.argv[2], sys.argv[3])
    else:
        sys.exit(__doc__)
