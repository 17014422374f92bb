"""Reads the tables that old LanceDB versions wrote (archives beside this file) and compares with what those
versions themselves read; then appends to each and lets the current Lance read the result."""
import glob
import os
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop"))

import lance
import pyarrow as pa

from glaive_cli import assert_same, import_table, run, scan
from suite import cases, main

HERE = os.path.dirname(os.path.abspath(__file__))
WRITERS = sorted(os.path.basename(p)[:-len(".tar.xz")] for p in glob.glob(os.path.join(HERE, "*.tar.xz")))


def unpack(writer, directory):
    with tarfile.open(os.path.join(HERE, writer + ".tar.xz")) as archive:
        archive.extractall(directory)
    return os.path.join(directory, writer)


@cases(WRITERS)
def reads_every_version(directory, writer):
    database = unpack(writer, directory)
    compared = 0
    for path in sorted(glob.glob(os.path.join(database, "*.arrow"))):
        name, version, _ = os.path.basename(path).rsplit(".", 2)
        expected = pa.ipc.open_file(path).read_all()
        assert_same(expected, scan(database, name, "--version", version), "%s %s version %s" % (writer, name, version))
        compared += 1
    assert compared >= 10, compared
    for table in sorted(os.listdir(database)):
        if table.endswith(".lance"):
            run("verify", database, table[:-len(".lance")])


@cases(WRITERS)
def appends_for_the_current_lance(directory, writer):
    database = unpack(writer, directory)
    for table in sorted(t[:-len(".lance")] for t in os.listdir(database) if t.endswith(".lance")):
        before = scan(database, table)
        import_table(database, table, before.slice(0, 40), "--mode", "append")
        expected = pa.concat_tables([before, before.slice(0, 40)])
        assert_same(expected, lance.dataset(os.path.join(database, table + ".lance")).to_table(), table)


if __name__ == "__main__":
    main()
