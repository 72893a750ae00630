# SPDX-License-Identifier: Apache-2.0
"""A disk that loses power: from the tracer's record of what was asked of it to what may be on it afterwards.

Two models of how directory entries last:
  strict   an entry is durable after fsync of the directory and not before; pending ones survive in any selection
  ordered  entries survive in their order, and fsync of any file makes all earlier ones durable (a journal)
In both, file contents are durable after fsync of the file. Of what was not synced, any selection of writes and
truncations may survive, in their order, and of a write any selection of its 512 byte sectors. Where a file had grown
over a write that was lost, there are zeros or garbage.
"""
SECTOR = 512
PAGE = 4096  # of the kernel's memory, which keeps or loses each on its own
GARBAGE = bytes(range(1, 256)) * 3


class Link(bytes):
    """The contents of a file that has another name, `of`, before this one in the order of names."""


class File:
    def __init__(self):
        self.durable = b""
        self.pending = []  # ("write", offset, data) or ("trunc", size)


def apply(content, op):
    if op[0] == "trunc":
        size = op[1]
        del content[size:]
        content.extend(bytes(size - len(content)))
        return
    _, offset, data = op
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset:offset + len(data)] = data


def rename(names, op):
    """One change of a directory."""
    if op[0] == "add":
        names[op[1]] = op[2]
    elif op[0] == "del":
        names.pop(op[1], None)
    elif op[1] in names:
        names[op[2]] = names.pop(op[1])


class Disk:
    def __init__(self, model):
        self.model = model
        self.files = {}   # inode: File
        self.names = {}   # durable
        self.changes = []  # of names, pending

    def play(self, event):
        kind, *words = event.split(" ")
        if kind in ("create", "tmpfile"):
            self.files[words[0]] = File()
            if kind == "create":
                self.changes.append(("add", words[1], self.files[words[0]]))
        elif kind == "link":
            self.changes.append(("add", words[1], self.files[words[0]]))
        elif kind == "unlink":
            self.changes.append(("del", words[0]))
        elif kind == "rename":
            self.changes.append(("move", words[0], words[1]))
        elif kind == "write":
            op = ("write", int(words[1]), bytes.fromhex(words[2]))
            self.files[words[0]].pending.extend(pieces(op, PAGE))
        elif kind == "trunc":
            self.files[words[0]].pending.append(("trunc", int(words[1])))
        elif kind == "sync":
            self.sync(self.files[words[0]])
            if self.model == "ordered":
                self.sync_names()
        elif kind == "syncdir":
            self.sync_names()
        elif kind != "ack":
            raise ValueError(f"the record has an event that is not modelled: {event}")

    def sync(self, file):
        content = bytearray(file.durable)
        for op in file.pending:
            apply(content, op)
        file.durable, file.pending = bytes(content), []

    def sync_names(self):
        for change in self.changes:
            rename(self.names, change)
        self.changes = []

    def everything(self):
        """The files as a process sees them: {name: bytes}."""
        return self.image(self.all_names(), lambda i, op, size: [op])

    def all_names(self):
        names = dict(self.names)
        for change in self.changes:
            rename(names, change)
        return names

    def possible_names(self, rng):
        """Directories that may be found, at most a dozen."""
        count = len(self.changes)
        if self.model == "ordered":
            kept = [range(n) for n in range(count + 1)]
        elif count <= 3:
            kept = [[i for i in range(count) if bits >> i & 1] for bits in range(1 << count)]
        else:
            kept = [[], range(count)] + [[i for i in range(count) if rng.random() < 0.5] for _ in range(10)]
        for which in kept:
            names = dict(self.names)
            for i in which:
                rename(names, self.changes[i])
            yield names

    def pending(self, names):
        return sum(len(f.pending) for f in set(names.values()))

    def image(self, names, keep):
        """{name: bytes} where `keep` gives, for the Ith pending change of contents, what survives of
        it: keep(I, change, durable size of the file)."""
        contents, made, number = {}, {}, 0
        for name in sorted(names):
            file = names[name]
            if file in made:
                contents[name] = Link(contents[made[file]])
                contents[name].of = made[file]
                continue
            made[file] = name
            content = bytearray(file.durable) if file.pending else file.durable
            for op in file.pending:
                for survivor in keep(number, op, len(file.durable)):
                    apply(content, survivor)
                number += 1
            contents[name] = bytes(content)
        return contents

    def images(self, rng, limit):
        """Up to `limit` images that a power cut may leave now, the extreme ones first."""
        for names in self.possible_names(rng):
            count = self.pending(names)
            yield self.image(names, lambda i, op, size: [op])
            if count == 0:
                continue
            yield self.image(names, lambda i, op, size: [])
            yield self.image(names, lambda i, op, size: garbage(op, size))
            for at in spread(count, limit // 8, rng):
                yield self.image(names, lambda i, op, size, at=at: [op] if i == at else [])
                yield self.image(names, lambda i, op, size, at=at: [] if i == at else [op])
                yield self.image(names, lambda i, op, size, at=at: [op] if i < at else [])
                yield self.image(names, lambda i, op, size, at=at: torn(op, rng, 0.5) if i == at else [op])
                yield self.image(names, lambda i, op, size, at=at: [op] if i < at else torn(op, rng, 0.5) if i == at else [])
                yield self.image(names, lambda i, op, size, at=at: garbage(op, size) if i == at else [op])
            for _ in range(limit // 4):
                odds = rng.choice((0.1, 0.5, 0.9))
                fill = rng.random() < 0.3
                yield self.image(names, lambda i, op, size: mixed(op, size, rng, odds, fill))


def spread(count, limit, rng):
    return range(count) if count <= limit else sorted(rng.sample(range(count), limit))


def pieces(op, size):
    """The parts of a write that a sector or page of that size each holds."""
    _, offset, data = op
    at = 0
    while at < len(data):
        length = min(len(data) - at, size - (offset + at) % size)
        yield ("write", offset + at, data[at:at + length])
        at += length


def sectors(op):
    return pieces(op, SECTOR)


def torn(op, rng, odds):
    if op[0] == "trunc":
        return [op] if rng.random() < odds else []
    return [s for s in sectors(op) if rng.random() < odds]


def garbage(op, size):
    """What is found in place of a lost write: beyond the `size` that the file had, anything."""
    if op[0] == "trunc":
        return [op]
    return [("write", s[1], GARBAGE[:len(s[2])]) for s in sectors(op) if s[1] >= size]


def mixed(op, size, rng, odds, fill):
    choice = rng.random()
    if choice < odds:
        return [op]
    if choice < odds + (1 - odds) / 3:
        return torn(op, rng, 0.5)
    return garbage(op, size) if fill and choice > 0.95 else []


def identity(image):
    """Of what matters in an image."""
    return tuple((name, type(image[name]), len(image[name]), hash(image[name])) for name in sorted(image) if not name.endswith(".lock"))
