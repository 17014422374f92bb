"""Glaive writes, the real Lance and LanceDB read, then change the table, and Glaive reads again."""
import json
import os
import random
import subprocess
import sys
import threading

import lance
import lancedb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from lance.file import LanceFileReader

import typegen
from glaive_cli import BIN, assert_same, import_table, ipc_bytes, rows, run, scan
from suite import SEED, cases, main, test
from typegen import ALL, CASES, NEW, V20, V21, V22


def lance_path(directory, name):
    return os.path.join(directory, name + ".lance")


class OneColumn:
    def __init__(self, dataset):
        self.dataset = dataset

    def to_table(self, **kwargs):
        return self.dataset.to_table(columns=["c"], **kwargs)

    def take(self, rows):
        return self.dataset.take(rows, columns=["c"])


def matrix():
    for name, (t, versions) in CASES.items():
        for version in versions:
            yield name, version


@cases(list(matrix()))
def types(directory, case, version):
    t, _ = CASES[case]
    for shape in typegen.SHAPES:
        for n in (0, 1, 7, 1023, 1025, 5000):
            if n not in (1025, 5000) and shape != "random" or n == 1025 and shape == "runs":
                continue
            if version == V20 and pa.types.is_struct(t):
                continue
            column = typegen.column(SEED + n, t, n, shape)
            table = pa.table({"id": pa.array(range(n), pa.int64()), "c": column})
            name = typegen.name_of(shape, n)
            import_table(directory, name, table, "--data-storage-version", version, batch_rows=1700)
            d = lance.dataset(lance_path(directory, name))
            assert d.data_storage_version == version
            if case == "fsl_struct":
                # Lance 14 cannot read such a column together with others, not even of its own tables.
                d, table = OneColumn(d), table.select(["c"])
            assert_same(table, d.to_table(), "%s %s %s" % (case, version, name))
            assert_same(table, scan(directory, name, *(["--columns", "c"] if case == "fsl_struct" else [])),
                        "%s %s %s by ourselves" % (case, version, name))
            if n == 5000:
                picks = [0, 1, 511, 1024, 2500, 4999]
                assert_same(table.take(picks), d.take(picks), name + " take")
                assert_same(table.slice(1020, 9), d.to_table(offset=1020, limit=9), name + " range")


@cases([(index, version) for index in ("int8", "int16", "int32", "uint8", "int64") for version in ALL])
def dictionaries(directory, index, version):
    for n in (1, 50, 5000):
        table = pa.table({"c": typegen.dictionary_column(SEED, n, getattr(pa, index)())})
        import_table(directory, "d%d" % n, table, "--data-storage-version", version)
        assert_same(table, lance.dataset(lance_path(directory, "d%d" % n)).to_table(), "dictionary")


@cases([(i, version) for i in range(12) for version in NEW])
def random_tables(directory, i, version):
    table = typegen.random_table(SEED + 100 + i, 3000, 6)
    import_table(directory, "t", table, "--data-storage-version", version, batch_rows=1000)
    assert_same(table, lance.dataset(lance_path(directory, "t")).to_table(), "random table %d" % (SEED + 100 + i))


@cases([(v,) for v in ALL])
def large(directory, version):
    n = 150_000
    rng = np.random.default_rng(SEED)
    table = pa.table({
        "id": pa.array(range(n), pa.int64()),
        "x": pa.array(rng.integers(-1000, 1000, n), pa.int32()),
        "f": pa.array(rng.random(n), pa.float64()),
        "s": pa.array(["text %d %s" % (i, "y" * (i % 50)) for i in range(n)]),
        "long": pa.array([None if i % 9 == 0 else "z%d" % i * (i % 90) for i in range(n)]),
        "tags": pa.array([["t%d" % j for j in range(i % 4)] if i % 5 else None for i in range(n)]),
        "v": pa.FixedSizeListArray.from_arrays(pa.array(rng.random(n * 96, dtype=np.float32)), 96)})
    import_table(directory, "t", table, "--data-storage-version", version, "--max-rows-per-file", 70000)
    d = lance.dataset(lance_path(directory, "t"))
    assert len(d.get_fragments()) == 3
    assert_same(table, d.to_table(), "large %s" % version)
    picks = sorted(random.Random(SEED).sample(range(n), 300))
    assert_same(table.take(picks), d.take(picks), "take")
    assert_same(table, scan(directory, "t"), "large by ourselves")


@cases([(v, stable) for v in ALL for stable in (False, True)])
def then_they_change_it(directory, version, stable):
    """Our table goes through LanceDB's whole repertoire; we read each version as Lance does."""
    rng = random.Random(SEED)
    n = 3000
    make = lambda start, count: pa.table({
        "id": pa.array(range(start, start + count), pa.int64()),
        "text": pa.array([None if rng.random() < 0.1 else "word%d" % rng.randint(0, 99) for _ in range(count)]),
        "vector": pa.array([[rng.random() for _ in range(8)] for _ in range(count)], pa.list_(pa.float32(), 8))})
    args = ["--data-storage-version", version, "--max-rows-per-file", "1100"] + (["--stable-row-ids"] if stable else [])
    import_table(directory, "t", make(0, n), *args)
    db = lancedb.connect(directory)
    assert db.open_table("t").count_rows() == n
    t = db.open_table("t")
    t.add(make(n, 200))
    t.delete("id % 10 = 4")
    t.update(where="id % 100 = 1", values={"text": "updated"})
    t.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(make(n + 150, 100))
    import_table(directory, "t", make(9000, 50), "--mode", "append")
    t.checkout_latest()
    t.add_columns({"twice": "id * 2"})
    t.create_scalar_index("id")
    run("delete", directory, "t", "--row-ids", ",".join(
        str(i) for i in t.search().with_row_id(True).limit(5).to_arrow()["_rowid"].to_pylist()))
    t.checkout_latest()
    t.optimize()
    t.alter_columns({"path": "twice", "rename": "double"})
    t.drop_columns(["double"])
    t.restore(2)
    t.checkout_latest()
    t.add(make(20000, 10))
    path = lance_path(directory, "t")
    for v in range(1, lance.dataset(path).version + 1):
        assert_same(lance.dataset(path, version=v).to_table(), scan(directory, "t", "--version", v), "version %d" % v)
    run("verify", directory, "t")
    ids = t.search().where("id >= 9000").limit(1000).to_arrow()["id"].to_pylist()
    assert 20000 in ids


@cases([(v,) for v in ALL])
def alternating_commits(directory, version):
    rng = random.Random(SEED)
    model = {}
    key = 0
    import_table(directory, "t", pa.table({"id": pa.array([], pa.int64()), "s": pa.array([], pa.string())}),
                 "--data-storage-version", version)
    db = lancedb.connect(directory)
    for step in range(24):
        ours = step % 2 == 0
        if rng.random() < 0.7 or not model:
            ids = list(range(key, key + rng.randint(1, 40)))
            key += len(ids)
            table = pa.table({"id": pa.array(ids, pa.int64()), "s": ["step%d" % step] * len(ids)})
            if ours:
                import_table(directory, "t", table, "--mode", "append")
            else:
                db.open_table("t").add(table)
            model.update({i: "step%d" % step for i in ids})
        else:
            gone = rng.sample(sorted(model), min(len(model), 5))
            if ours:
                found = lance.dataset(lance_path(directory, "t")).to_table(
                    filter="id in (%s)" % ",".join(map(str, gone)), with_row_id=True)
                run("delete", directory, "t", "--row-ids", ",".join(map(str, found["_rowid"].to_pylist())))
            else:
                db.open_table("t").delete("id in (%s)" % ",".join(map(str, gone)))
            for g in gone:
                del model[g]
        for reader in (lambda: scan(directory, "t"), lambda: db.open_table("t").to_arrow()):
            found = reader()
            assert dict(zip(found["id"].to_pylist(), found["s"].to_pylist())) == model, "step %d" % step
            assert found.num_rows == len(model)


@test
def racing_appends(directory):
    """Processes of both kinds append at once: every row is there once, versions have no gap."""
    schema = pa.schema([("id", pa.int64()), ("who", pa.string())])
    import_table(directory, "t", pa.table({"id": [], "who": []}, schema=schema))
    per_writer, writers = 6, 3
    errors = []

    def ours(w):
        try:
            for i in range(per_writer):
                import_table(directory, "t", pa.table({"id": [w * 100 + i], "who": ["glaive"]}, schema=schema),
                             "--mode", "append")
        except Exception as error:
            errors.append(error)

    theirs = ("import lancedb,sys,pyarrow as pa\n"
              "t=lancedb.connect(sys.argv[1]).open_table('t')\n"
              "for i in range(%d): t.add(pa.table({'id':pa.array([int(sys.argv[2])*100+i],pa.int64()),'who':['lancedb']}))\n"
              % per_writer)
    threads = [threading.Thread(target=ours, args=(w,)) for w in range(writers)]
    processes = [subprocess.Popen([sys.executable, "-c", theirs, directory, str(10 + w)],
                                  stderr=subprocess.PIPE) for w in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for process in processes:
        _, stderr = process.communicate()
        assert process.returncode == 0, stderr.decode()[-400:]
    assert not errors, errors
    expected = sorted([w * 100 + i for w in range(writers) for i in range(per_writer)]
                      + [(10 + w) * 100 + i for w in range(2) for i in range(per_writer)])
    assert sorted(scan(directory, "t")["id"].to_pylist()) == expected
    assert sorted(lance.dataset(lance_path(directory, "t")).to_table()["id"].to_pylist()) == expected
    versions = [r["version"] for r in rows(directory, "versions", "t")]
    assert versions == list(range(1, len(expected) + 2)), versions


@test
def racing_creates(directory):
    data = ipc_bytes(pa.table({"id": [1, 2, 3]}))
    started = [subprocess.Popen([BIN, "import", directory, "t", "-", "--format", "arrow-stream"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(6)]
    for p in started:
        p.stdin.write(data)
    codes = []
    for p in started:
        _, err = p.communicate()
        codes.append(p.returncode)
        assert p.returncode == 0 or b"AlreadyExists" in err, err
    assert codes.count(0) == 1, codes
    assert lance.dataset(lance_path(directory, "t")).count_rows() == 3


@test
def versions_tags_restore(directory):
    for i in range(4):
        import_table(directory, "t", pa.table({"id": pa.array([i], pa.int64())}), "--mode", "append" if i else "create")
    run("tag", "create", directory, "t", "good", "2")
    d = lance.dataset(lance_path(directory, "t"))
    assert d.tags.list()["good"]["version"] == 2
    assert lance.dataset(lance_path(directory, "t"), version="good").to_table()["id"].to_pylist() == [0, 1]
    d.tags.create("theirs", 3)
    assert scan(directory, "t", "--tag", "theirs")["id"].to_pylist() == [0, 1, 2]
    run("restore", directory, "t", "2")
    d = lance.dataset(lance_path(directory, "t"))
    assert d.version == 5 and d.to_table()["id"].to_pylist() == [0, 1]
    d.cleanup_old_versions(older_than=__import__("datetime").timedelta(0), error_if_tagged_old_versions=False)
    assert scan(directory, "t")["id"].to_pylist() == [0, 1]


@cases([(v, stable) for v in ALL for stable in (False, True)])
def compaction_then_theirs(directory, version, stable):
    """We compact and clean up; LanceDB searches, changes and optimizes that; we do so again."""
    rng = random.Random(SEED)
    make = lambda start, count: pa.table({
        "id": pa.array(range(start, start + count), pa.int64()),
        "text": ["word%d common" % rng.randint(0, 99) for _ in range(count)],
        "tags": [["t%d" % j for j in range(i % 3)] if i % 5 else None for i in range(count)],
        "vector": pa.array([[rng.random() for _ in range(8)] for _ in range(count)], pa.list_(pa.float32(), 8))})
    args = ["--data-storage-version", version] + (["--stable-row-ids"] if stable else [])
    import_table(directory, "t", make(0, 300), *args)
    for i in range(1, 8):
        import_table(directory, "t", make(300 * i, 300), "--mode", "append")
    db = lancedb.connect(directory)
    t = db.open_table("t")
    t.delete("id % 10 = 4")
    by_id = lambda: db.open_table("t").to_arrow().sort_by("id")
    before = by_id()
    done = rows(directory, "optimize", "t", "--older-than", "0")[0]
    assert done["fragments_removed"] == 8 and done["fragments_added"] == 1, done
    assert_same(before, by_id(), "compacted")
    d = lance.dataset(lance_path(directory, "t"))
    assert len(d.get_fragments()) == 1 and len(d.versions()) == 1
    d.validate()
    t = db.open_table("t")
    t.create_scalar_index("id")
    t.create_fts_index("text", use_tantivy=False)
    for i in range(8, 12):
        import_table(directory, "t", make(300 * i, 300), "--mode", "append")
    t.checkout_latest()
    t.delete("id % 10 = 5")
    t.update(where="id % 100 = 1", values={"text": "updated"})
    before = by_id()
    done = rows(directory, "optimize", "t", "--older-than", "0")[0]
    assert done["fragments_removed"] >= 3, done
    assert_same(before, by_id(), "compacted beside indices")
    t.checkout_latest()
    for probe in (3, 302, 2999, 3500):
        found = t.search().where("id = %d" % probe).to_arrow()
        assert found["id"].to_pylist() == [probe], (probe, found)
    updated = set(t.search().where("text = 'updated'").limit(1000).to_arrow()["id"].to_pylist())
    found = t.search("updated", query_type="fts").limit(1000).to_arrow()["id"].to_pylist()
    assert len(found) == len(set(found)) and set(found) == updated, (len(found), len(updated))
    t.optimize(cleanup_older_than=__import__("datetime").timedelta(0))
    assert_same(before, by_id(), "optimized by LanceDB")
    assert_same(before, scan(directory, "t").sort_by("id"), "optimized by LanceDB, read by ourselves")
    rows(directory, "optimize", "t", "--older-than", "0")
    t.checkout_latest()
    t.add(make(9000, 10))
    assert t.search().where("id = 9003").to_arrow().num_rows == 1
    run("verify", directory, "t")


@test
def cleanup_beside_theirs(directory):
    """Clean-ups of both kinds in turn: tags hold, nothing that is needed goes, nothing is left over."""
    week = __import__("datetime").timedelta(0)
    import_table(directory, "t", pa.table({"id": pa.array([0], pa.int64())}))
    path = lance_path(directory, "t")
    for i in range(1, 10):
        import_table(directory, "t", pa.table({"id": pa.array([i], pa.int64())}), "--mode", "append")
    lance.dataset(path).tags.create("theirs", 3)
    run("tag", "create", directory, "t", "ours", "5")
    lance.dataset(path).delete("id = 9")
    done = rows(directory, "cleanup", "t", "--older-than", "0")[0]
    assert done["versions_removed"] == 8, done
    assert [v["version"] for v in lance.dataset(path).versions()] == [3, 5, 11]
    assert lance.dataset(path, version="ours").count_rows() == 5
    import_table(directory, "t", pa.table({"id": pa.array([10], pa.int64())}), "--mode", "overwrite")
    lance.dataset(path).cleanup_old_versions(older_than=week, error_if_tagged_old_versions=False)
    lance.dataset(path).tags.delete("theirs")
    lance.dataset(path).tags.delete("ours")
    assert rows(directory, "cleanup", "t", "--older-than", "0")[0]["versions_removed"] == 2
    assert [len(os.listdir(os.path.join(path, d))) for d in ("data", "_transactions")] == [1, 1]
    assert lance.dataset(path).to_table()["id"].to_pylist() == [10]
    stats = lance.dataset(path).cleanup_old_versions(older_than=week)
    assert stats.old_versions == 0


@test
def upkeep_keeps_what_they_read(directory):
    """Hundreds of small appends with upkeep on, LanceDB reading and writing in between."""
    import_table(directory, "t", pa.table({"id": pa.array([0], pa.int64())}))
    t = lancedb.connect(directory).open_table("t")
    n = 1
    for round in range(12):
        for _ in range(4):
            import_table(directory, "t", pa.table({"id": pa.array([n], pa.int64())}), "--mode", "append")
            n += 1
        for _ in range(8):
            t.add(pa.table({"id": pa.array([n], pa.int64())}))
            n += 1
        assert sorted(t.to_arrow()["id"].to_pylist()) == list(range(n))
    d = lance.dataset(lance_path(directory, "t"))
    assert len(d.get_fragments()) <= 50 and d.count_rows() == n
    d.validate()


@test
def overwrite(directory):
    import_table(directory, "t", pa.table({"a": [1, 2]}))
    import_table(directory, "t", pa.table({"b": ["x"]}), "--mode", "overwrite")
    d = lance.dataset(lance_path(directory, "t"))
    assert d.version == 2 and d.to_table().to_pydict() == {"b": ["x"]}
    assert lance.dataset(lance_path(directory, "t"), version=1).to_table().to_pydict() == {"a": [1, 2]}


@test
def blobs(directory):
    values = [os.urandom(n) if n is not None else None for n in (10, 0, None, 70_000, 100_000, 5_000_000, 65536)]
    schema = pa.schema([pa.field("id", pa.int32()), lance.blob_field("b")])
    table = pa.table([pa.array(range(len(values)), pa.int32()), lance.blob_array(values)], schema=schema)
    plain = pa.table([table["id"], table["b"].combine_chunks().storage], schema=pa.schema(
        [pa.field("id", pa.int32()), pa.field("b", table["b"].type.storage_type,
                                               metadata={b"ARROW:extension:name": b"lance.blob.v2"})]))
    import_table(directory, "t", plain, "--data-storage-version", V22)
    d = lance.dataset(lance_path(directory, "t"))
    present = [i for i, v in enumerate(values) if v is not None]
    found = d.take_blobs("b", indices=present)
    assert [f.readall() for f in found] == [values[i] for i in present]
    assert scan(directory, "t", "--blobs", "bytes")["b"].to_pylist() == values


@cases([(v,) for v in (V20, V21)])
def blobs_v1(directory, version):
    values = [os.urandom(n) if n is not None else None for n in (10, 0, None, 100_000, 5)]
    field = pa.field("b", pa.large_binary(), metadata={b"lance-encoding:blob": b"true"})
    table = pa.table([pa.array(values, pa.large_binary())], schema=pa.schema([field]))
    import_table(directory, "t", table, "--data-storage-version", version)
    d = lance.dataset(lance_path(directory, "t"))
    present = [i for i, v in enumerate(values) if v is not None]
    assert [f.readall() for f in d.take_blobs("b", indices=present)] == [values[i] for i in present]
    assert scan(directory, "t", "--blobs", "bytes")["b"].to_pylist() == values


@cases([(name,) for name in ("ints", "strings", "text", "vectors", "timestamps", "floats", "lists", "nulls", "flags",
                                    "dictionary", "trailing", "constant")])
def size_on_disk(directory, name):
    """Data bytes within 5 % of what Lance writes for the same data, or smaller."""
    n = 60_000
    rng = np.random.default_rng(SEED)
    r = random.Random(SEED)
    words = [typegen.random_name(r, r.randint(2, 9)) for _ in range(2000)]
    column = {
        "ints": lambda: pa.array(rng.integers(0, 100_000, n), pa.int64()),
        "strings": lambda: pa.array(["user-%d" % i for i in rng.integers(0, 5000, n)]),
        "text": lambda: pa.array([" ".join(r.choices(words, k=r.randint(3, 15))) for _ in range(n)]),
        "vectors": lambda: pa.FixedSizeListArray.from_arrays(pa.array(rng.random(n * 64, dtype=np.float32)), 64),
        "timestamps": lambda: pa.array(1_700_000_000_000 + np.cumsum(rng.integers(0, 5000, n)), pa.timestamp("ms")),
        "floats": lambda: pa.array(rng.random(n), pa.float64()),
        "lists": lambda: pa.array([list(range(i % 6)) if i % 7 else None for i in range(n)], pa.list_(pa.int32())),
        "nulls": lambda: pa.array([None if i % 3 else i for i in range(n)], pa.int32()),
        "flags": lambda: pa.array([i % 1000 < 900 for i in range(n)]),
        # A dictionary with nulls among its values, long stretches of null lists, a short constant.
        "dictionary": lambda: pa.DictionaryArray.from_arrays(
            pa.array(rng.integers(0, 5, n), pa.int8()), pa.array(["a", "b", None, "c", "d"])),
        "trailing": lambda: pa.array([[1, 2, 3]] * 1000 + [None] * 200_000, pa.list_(pa.int32())),
        "constant": lambda: pa.array([42] * 3000, pa.int64()),
    }[name]()
    table = pa.table({"c": column})
    for version in (V21, V22):
        lance.write_dataset(table, lance_path(directory, "theirs" + version[-1]), data_storage_version=version)
        import_table(directory, "ours" + version[-1], table, "--data-storage-version", version)

        def size(which):
            data = os.path.join(lance_path(directory, which + version[-1]), "data")
            return sum(os.path.getsize(os.path.join(data, f)) for f in os.listdir(data))
        assert size("ours") <= 1.05 * size("theirs"), "%s %s: %d bytes, Lance has %d" % (
            name, version, size("ours"), size("theirs"))


@test
def external_blobs(directory):
    outside = os.path.join(directory, "a.bin")
    payload = os.urandom(100_000)
    with open(outside, "wb") as out:
        out.write(payload)
    values = [lance.Blob.from_uri("file://" + outside), None, b"inline",
              lance.Blob.from_uri("file://" + outside, position=10, size=20)]
    storage = lance.blob_array(values).storage
    table = pa.table([storage], schema=pa.schema([
        pa.field("b", storage.type, metadata={b"ARROW:extension:name": b"lance.blob.v2"})]))
    import_table(directory, "t", table, "--data-storage-version", V22)
    found = lance.dataset(lance_path(directory, "t")).take_blobs("b", indices=[0, 2, 3])
    expected = [payload, b"inline", payload[10:30]]
    assert [f.readall() for f in found] == expected
    assert scan(directory, "t", "--blobs", "bytes")["b"].to_pylist() == [payload, None] + expected[1:]


@test
def full_dictionaries_with_nulls(directory):
    """2.0 needs a key for nulls. Where the key type has none left, both refuse."""
    names = ["item %d" % i for i in range(128)]
    keys = pa.array([None if i % 5 == 0 else i % 128 for i in range(1000)], pa.int8())
    table = pa.table({"c": pa.DictionaryArray.from_arrays(keys, pa.array(names))})
    try:
        lance.write_dataset(table, lance_path(directory, "theirs"), data_storage_version=V20)
        raise AssertionError("Lance writes it now")
    except OSError:
        pass
    failed = run("import", directory, "ours", "-", "--format", "arrow-stream", "--data-storage-version", V20,
                 data=ipc_bytes(table), check=False)
    assert failed.returncode != 0 and b"Unsupported" in failed.stderr and b"column c" in failed.stderr, failed.stderr
    names[7] = None  # its key serves all nulls
    table = pa.table({"c": pa.DictionaryArray.from_arrays(keys, pa.array(names))})
    import_table(directory, "t", table, "--data-storage-version", V20)
    expected = table["c"].to_pylist()
    assert scan(directory, "t")["c"].to_pylist() == expected
    assert lance.dataset(lance_path(directory, "t")).to_table()["c"].to_pylist() == expected


@test
def lists_of_vectors_of_structs_are_refused(directory):
    """Lance 14 fails to write them, too."""
    t = pa.list_(pa.list_(pa.struct([("x", pa.int32())]), 2))
    table = pa.table({"c": pa.array([[[{"x": 1}, {"x": 2}]]], t)})
    failed = run("import", directory, "t", "-", "--format", "arrow-stream", data=ipc_bytes(table), check=False)
    assert failed.returncode != 0 and b"Unsupported" in failed.stderr and b"'c" in failed.stderr, failed.stderr
    assert not os.path.exists(lance_path(directory, "t")) or not os.listdir(lance_path(directory, "t"))


@cases([(v,) for v in ALL])
def json_columns(directory, version):
    """Text becomes the bytes that Lance makes of it: its functions find their way in them."""
    values = typegen.json_texts(SEED, 3000)
    make = lambda t: pa.table({"id": pa.array(range(len(values)), pa.int64()), "j": pa.array(values, t)})
    lance.write_dataset(make(pa.json_()), lance_path(directory, "theirs"), data_storage_version=version)
    import_table(directory, "ours", make(pa.json_()), "--data-storage-version", version)
    import_table(directory, "ours", make(pa.string()), "--mode", "append")
    theirs = lance.dataset(lance_path(directory, "theirs"))
    ours = lance.dataset(lance_path(directory, "ours"))
    expected = theirs.to_table()["j"].to_pylist()
    assert ours.schema.field("j").type == pa.json_()
    assert ours.to_table()["j"].to_pylist() == expected * 2
    assert scan(directory, "ours")["j"].to_pylist() == expected * 2

    def stored(dataset):
        data = os.path.join(dataset.uri, "data")
        return [LanceFileReader(os.path.join(data, f.path)).read_all().to_table()["j"].to_pylist()
                for fragment in dataset.get_fragments() for f in fragment.data_files()]
    assert stored(ours) == stored(theirs) * 2
    condition = "json_extract(j, '$.n') = '7'"
    assert theirs.count_rows(condition) > 0
    assert ours.count_rows(condition) == 2 * theirs.count_rows(condition)
    bad = pa.table({"id": pa.array([1, 2], pa.int64()), "j": ['{"a":1}', '{"a":}']})
    failed = run("import", directory, "ours", "-", "--format", "arrow-stream", "--mode", "append",
                 data=ipc_bytes(bad), check=False)
    assert failed.returncode != 0 and b"InvalidArgument" in failed.stderr and b"column 'j', row 1" in failed.stderr


@test
def imports_of_other_formats(directory):
    table = pa.table({"id": pa.array(range(1000), pa.int64()), "name": ["n%d" % i for i in range(1000)],
                      "f": pa.array([i / 8 for i in range(1000)], pa.float64()),
                      "v": pa.array([[float(i)] * 4 for i in range(1000)], pa.list_(pa.float32()))})
    pq.write_table(table, os.path.join(directory, "t.parquet"))
    run("import", directory, "p", os.path.join(directory, "t.parquet"), "--vector-column", "v")
    d = lance.dataset(lance_path(directory, "p")).to_table()
    assert d.schema.field("v").type == pa.list_(pa.float32(), 4)
    assert d["id"].to_pylist() == list(range(1000)) and d["v"].to_pylist() == table["v"].to_pylist()
    with open(os.path.join(directory, "t.jsonl"), "w") as out:
        for row in table.to_pylist():
            out.write(json.dumps(row) + "\n")
    run("import", directory, "j", os.path.join(directory, "t.jsonl"), "--vector-column", "v:4")
    d = lance.dataset(lance_path(directory, "j")).to_table()
    assert d["v"].to_pylist() == table["v"].to_pylist() and d["f"].to_pylist() == table["f"].to_pylist()
    import pyarrow.csv as csv
    csv.write_csv(table.select(["id", "name", "f"]), os.path.join(directory, "t.csv"))
    run("import", directory, "c", os.path.join(directory, "t.csv"))
    assert_same(table.select(["id", "name", "f"]), lance.dataset(lance_path(directory, "c")).to_table(), "csv")


if __name__ == "__main__":
    main()
