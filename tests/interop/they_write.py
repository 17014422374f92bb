"""The real Lance and LanceDB write, Glaive reads: every type, version, null pattern; every kind of table."""
import datetime
import os
import random
import time

import lance
import lancedb
import numpy as np
import pyarrow as pa

import typegen
from glaive_cli import assert_same, rows, run, scan
from suite import SEED, cases, main, test
from typegen import ALL, CASES, NEW, V20, V21, V22


def lance_path(directory, name):
    return os.path.join(directory, name + ".lance")


def check(directory, name, what, *args, **kwargs):
    expected = lance.dataset(lance_path(directory, name), **kwargs).to_table()
    assert_same(expected, scan(directory, name, *args), what)


def matrix():
    for name, (t, versions) in CASES.items():
        for version in versions:
            yield name, version


@cases(list(matrix()))
def types(directory, case, version):
    """All shapes of one type in one version: small sizes whole, a large one with several batches."""
    t, _ = CASES[case]
    for shape in typegen.SHAPES:
        if version == V20 and shape == "allnull" and pa.types.is_struct(t):
            continue
        for n in (0, 1, 7, 1023, 1025, 5000):
            if n not in (1025, 5000) and shape != "random" or n == 1025 and shape == "runs":
                continue
            column = typegen.column(SEED + n, t, n, shape)
            table = pa.table({"id": pa.array(range(n), pa.int64()), "c": column})
            name = typegen.name_of(shape, n)
            lance.write_dataset(table, lance_path(directory, name), data_storage_version=version)
            found = scan(directory, name)
            assert_same(table, found, "%s %s %s" % (case, version, name))
            if n == 5000 and shape in ("random", "nulls", "few", "sorted"):
                assert_same(table.slice(1000, 17), scan(directory, name, "--offset", 1000, "--limit", 17), name)
                picks = [n - 1, 0, 512, 512, n // 2]
                taken = pa.ipc.open_stream(run("take", directory, name, "--offsets", ",".join(map(str, picks)),
                                               "--arrow").stdout).read_all()
                assert_same(table.take(picks), taken, name + " take")


@cases([(index, version) for index in ("int8", "int16", "int32", "uint8", "int64") for version in ALL])
def dictionaries(directory, index, version):
    t = getattr(pa, index)()
    for n in (1, 50, 5000):
        table = pa.table({"c": typegen.dictionary_column(SEED, n, t)})
        lance.write_dataset(table, lance_path(directory, "d%d" % n), data_storage_version=version)
        expected = lance.dataset(lance_path(directory, "d%d" % n)).to_table()
        assert_same(expected, scan(directory, "d%d" % n), "dictionary %s %s %d" % (index, version, n))


@cases([(i, version) for i in range(12) for version in NEW])
def random_tables(directory, i, version):
    table = typegen.random_table(SEED + i, 3000, 6)
    lance.write_dataset(table, lance_path(directory, "t"), data_storage_version=version)
    assert_same(table, scan(directory, "t"), "random table %d %s" % (SEED + i, version))


@cases([(key, value) for key, value in (
    ("compression", "lz4"), ("compression", "zstd"), ("compression", "fsst"), ("compression", "none"),
    ("rle-threshold", "0"), ("bss", "on"), ("dict-values-compression", "zstd"),
    ("dict-values-compression", "none"), ("structural-encoding", "fullzip"),
    ("structural-encoding", "miniblock"), ("minichunk-size", "65536"))])
def encodings_by_metadata(directory, key, value):
    rng = random.Random(SEED)
    n = 6000
    metadata = {b"lance-encoding:" + key.encode(): value.encode()}
    columns = {
        "i": pa.array([rng.choice([1, 5, 1 << 40]) for _ in range(n)], pa.int64()),
        "f": pa.array([rng.random() for _ in range(n)], pa.float64()),
        "g": pa.array([i // 7 * 0.5 for i in range(n)], pa.float32()),
        "s": pa.array(["text number %d of many, with more words" % rng.randint(0, 10 ** 9) for _ in range(n)]),
        "few": pa.array([rng.choice(["a", "b", "c"]) for _ in range(n)]),
        "b": pa.array([rng.randbytes(20) for _ in range(n)], pa.binary()),
        "nul": pa.array([None if rng.random() < 0.4 else rng.randint(0, 50) for _ in range(n)], pa.int32()),
    }
    for version in (V20, V21, V22):
        if version == V20 and key != "compression":
            continue
        fields = [pa.field(name, array.type, metadata=metadata) for name, array in columns.items()]
        table = pa.table(list(columns.values()), schema=pa.schema(fields))
        name = "t" + version.replace(".", "")
        lance.write_dataset(table, lance_path(directory, name), data_storage_version=version,
                            max_page_bytes=None)
        assert_same(table, scan(directory, name), "%s=%s %s" % (key, value, version))


@cases([(v,) for v in NEW])
def packed_structs(directory, version):
    n = 2500
    fixed = pa.field("p", pa.struct([("x", pa.int32()), ("y", pa.float64()), ("z", pa.int16())]),
                     metadata={b"packed": b"true"})
    table = pa.table([pa.array([{"x": i, "y": i / 2, "z": i % 100} for i in range(n)], fixed.type)],
                     schema=pa.schema([fixed]))
    lance.write_dataset(table, lance_path(directory, "fixed"), data_storage_version=version)
    assert_same(table, scan(directory, "fixed"), "packed fixed")
    if version == V22:
        mixed = pa.field("p", pa.struct([("x", pa.int32()), ("s", pa.string())]),
                         metadata={b"lance-encoding:packed": b"true"})
        table = pa.table([pa.array([{"x": i, "s": "v%d" % i} for i in range(n)], mixed.type)],
                         schema=pa.schema([mixed]))
        lance.write_dataset(table, lance_path(directory, "mixed"), data_storage_version=version)
        assert_same(table, scan(directory, "mixed"), "packed mixed")


@cases([(v,) for v in (V20, V21)])
def blobs_v1(directory, version):
    values = [os.urandom(n) if n is not None else None for n in (10, 0, None, 100_000, 5, 3_000_000, None)]
    field = pa.field("b", pa.large_binary(), metadata={b"lance-encoding:blob": b"true"})
    table = pa.table([pa.array(range(len(values)), pa.int32()), pa.array(values, pa.large_binary())],
                     schema=pa.schema([pa.field("id", pa.int32()), field]))
    lance.write_dataset(table, lance_path(directory, "t"), data_storage_version=version)
    found = scan(directory, "t", "--blobs", "bytes")
    assert found["b"].to_pylist() == values, "blob bytes differ"
    assert scan(directory, "t", "--columns", "id")["id"].to_pylist() == list(range(len(values)))


@test
def blobs_v2(directory):
    values = [os.urandom(n) if n is not None else None for n in (10, 0, None, 70_000, 100_000, 5_000_000, 65536)]
    schema = pa.schema([pa.field("id", pa.int32()), lance.blob_field("b")])
    table = pa.table([pa.array(range(len(values)), pa.int32()), lance.blob_array(values)], schema=schema)
    lance.write_dataset(table, lance_path(directory, "t"), data_storage_version=V22)
    found = scan(directory, "t", "--blobs", "bytes")
    assert found["b"].to_pylist() == values, "blob bytes differ"


@cases([(based,) for based in (False, True)])
def external_blobs(directory, based):
    """Blobs in other files: by absolute URI, or below a base path of the table."""
    outside = os.path.join(directory, "outside")
    os.makedirs(os.path.join(outside, "sub"))
    payloads = {"a.bin": os.urandom(100_000), "sub/b.bin": b"external"}
    for name, payload in payloads.items():
        with open(os.path.join(outside, name), "wb") as out:
            out.write(payload)
    uri = lambda name: "file://" + os.path.join(outside, name)
    values = [lance.Blob.from_uri(uri("a.bin")), None, b"inline", lance.Blob.from_uri(uri("sub/b.bin")),
              lance.Blob.from_uri(uri("a.bin"), position=10, size=20), b"x" * 70_000]
    table = pa.table([pa.array(range(len(values)), pa.int32()), lance.blob_array(values)],
                     schema=pa.schema([pa.field("id", pa.int32()), lance.blob_field("b")]))
    how = ({"initial_bases": [lance.DatasetBasePath(outside, name="outside")]} if based
           else {"allow_external_blob_outside_bases": True})
    lance.write_dataset(table, lance_path(directory, "t"), data_storage_version=V22, **how)
    expected = [payloads["a.bin"], None, b"inline", b"external", payloads["a.bin"][10:30], b"x" * 70_000]
    assert scan(directory, "t", "--blobs", "bytes")["b"].to_pylist() == expected
    descriptors = lance.dataset(lance_path(directory, "t")).to_table()["b"].to_pylist()
    assert [d and d["blob_id"] for d in descriptors][:2] == [1 if based else 0, None]
    assert scan(directory, "t")["b"].to_pylist() == descriptors


@test
def unstable_versions_are_refused_by_name(directory):
    lance.write_dataset(pa.table({"a": [1, 2]}), lance_path(directory, "t"), data_storage_version="2.3")
    failed = run("scan", directory, "t", check=False)
    assert failed.returncode != 0 and b"Unsupported" in failed.stderr and b"PlanarLayout" in failed.stderr, failed.stderr


@cases([(v,) for v in ALL])
def json_columns(directory, version):
    """Scans and takes hand out the text that Lance hands out."""
    values = typegen.json_texts(SEED, 3000)
    table = pa.table({"id": pa.array(range(len(values)), pa.int64()), "j": pa.array(values, pa.json_())})
    lance.write_dataset(table, lance_path(directory, "t"), data_storage_version=version)
    expected = lance.dataset(lance_path(directory, "t")).to_table()
    found = scan(directory, "t")
    assert found.schema.field("j").type == expected.schema.field("j").type == pa.json_()
    assert found["j"].to_pylist() == expected["j"].to_pylist()
    taken = pa.ipc.open_stream(run("take", directory, "t", "--offsets", "7,1", "--arrow").stdout).read_all()
    assert taken["j"].to_pylist() == expected.take([7, 1])["j"].to_pylist()


@cases([(version, naming, stable) for version in ALL for naming in (True, False) for stable in (True, False)])
def history(directory, version, naming, stable):
    """Appends, deletes, updates, merges, evolved schemas, compaction: every version reads as Lance reads it."""
    path = lance_path(directory, "t")
    rng = random.Random(SEED)

    def batch(start, n):
        return pa.table({"id": pa.array(range(start, start + n), pa.int64()),
                         "s": pa.array([None if rng.random() < 0.1 else "s%d" % rng.randint(0, 999)
                                        for _ in range(n)]),
                         "v": pa.array([[float(i), 1.0] for i in range(n)], pa.list_(pa.float32(), 2))})
    d = lance.write_dataset(batch(0, 2000), path, data_storage_version=version, enable_v2_manifest_paths=naming,
                            enable_stable_row_ids=stable, max_rows_per_file=700)
    d = lance.write_dataset(batch(2000, 300), path, mode="append")
    d.delete("id % 7 = 3")
    d.delete("id < 30 or id = 2100")
    d.add_columns({"w": "id * 2"})
    d.add_columns(pa.field("later", pa.string()))
    d.alter_columns({"path": "s", "name": "text"})
    d.alter_columns({"path": "w", "data_type": pa.int32()})
    d.update({"text": "'changed'"}, where="id % 50 = 1")
    new = pa.table({"id": pa.array([5000, 40, 41], pa.int64()), "text": ["n", "m", None],
                    "v": pa.array([[1.0, 2.0]] * 3, pa.list_(pa.float32(), 2)),
                    "w": pa.array([1, 2, 3], pa.int32()), "later": ["x", None, "y"]})
    d.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(new)
    d.drop_columns(["w"])
    d.optimize.compact_files(target_rows_per_fragment=1500)
    d.delete("id > 4000")
    d.tags.create("early", 3)
    latest = lance.dataset(path).version
    for v in range(1, latest + 1):
        expected = lance.dataset(path, version=v).to_table()
        assert_same(expected, scan(directory, "t", "--version", v), "version %d" % v)
        count = int(run("count", directory, "t", "--version", v).stdout)
        assert count == expected.num_rows, "count of version %d is %d" % (v, count)
    assert_same(lance.dataset(path, version=3).to_table(), scan(directory, "t", "--tag", "early"), "tag")
    ours = [r["version"] for r in rows(directory, "versions", "t")]
    assert ours == list(range(1, latest + 1)), ours
    with_ids = lance.dataset(path).to_table(with_row_id=True)
    assert_same(with_ids, scan(directory, "t", "--row-id"), "row ids")
    run("verify", directory, "t")


@test
def deletion_files_of_both_forms(directory):
    path = lance_path(directory, "t")
    d = lance.write_dataset(pa.table({"id": pa.array(range(40000), pa.int64())}), path)
    d.delete("id % 11 = 0")
    d.delete("id % 5 = 0")
    assert any(f.endswith(".bin") for f in os.listdir(os.path.join(path, "_deletions")))
    assert any(f.endswith(".arrow") for f in os.listdir(os.path.join(path, "_deletions")))
    for v in (1, 2, 3):
        check(directory, "t", "version %d" % v, "--version", v, version=v)


@test
def tags_branches_and_clones(directory):
    path = lance_path(directory, "t")
    d = lance.write_dataset(pa.table({"id": pa.array(range(100), pa.int64())}), path)
    d = lance.write_dataset(pa.table({"id": pa.array(range(100, 150), pa.int64())}), path, mode="append")
    d.delete("id = 5")
    d.tags.create("v2", 2)
    tags = {r["name"]: r["version"] for r in _tag_rows(directory, "t")}
    assert tags == {"v2": 2}, tags
    d.shallow_clone(lance_path(directory, "clone"), "v2")
    check(directory, "clone", "clone")
    c = lance.dataset(lance_path(directory, "clone"))
    c.delete("id < 10")
    c = lance.write_dataset(pa.table({"id": pa.array([777], pa.int64())}), lance_path(directory, "clone"),
                            mode="append")
    check(directory, "clone", "changed clone")
    branch = d.create_branch("dev", 2)
    lance.write_dataset(pa.table({"id": pa.array([888], pa.int64())}), branch, mode="append")
    expected = lance.dataset(path).checkout_version(("dev", None)).to_table()
    assert_same(expected, scan(directory, "t", "--branch", "dev"), "branch")


def _tag_rows(directory, table):
    import json
    out = run("tag", "list", directory, table, "--json").stdout.decode()
    return [json.loads(line) for line in out.splitlines() if line]


@test
def time_travel_by_time(directory):
    path = lance_path(directory, "t")
    lance.write_dataset(pa.table({"id": [1]}), path)
    time.sleep(1.1)
    between = datetime.datetime.now(datetime.timezone.utc)
    time.sleep(0.2)
    lance.write_dataset(pa.table({"id": [2]}), path, mode="append")
    found = scan(directory, "t", "--as-of", between.isoformat())
    assert found["id"].to_pylist() == [1]


@test
def lancedb_tables(directory):
    db = lancedb.connect(directory)
    rng = np.random.default_rng(SEED)
    t = db.create_table("docs", pa.table({"id": pa.array(range(500), pa.int32()),
                                          "vector": pa.array(list(rng.random((500, 16), dtype=np.float32)),
                                                             pa.list_(pa.float32(), 16)),
                                          "text": ["document %d" % i for i in range(500)]}))
    t.add(pa.table({"id": pa.array([900], pa.int32()), "text": ["late"],
                    "vector": pa.array([[0.5] * 16], pa.list_(pa.float32(), 16))}))
    t.create_scalar_index("id")
    t.create_fts_index("text")
    t.delete("id < 3")
    t.update(where="id = 7", values={"text": "seven"})
    t.optimize()
    db.create_table("empty", schema=pa.schema([("a", pa.int64()), ("b", pa.list_(pa.string()))]))
    names = [r["name"] for r in rows(directory, "tables")]
    assert names == ["docs", "empty"], names
    check(directory, "docs", "docs")
    check(directory, "empty", "empty")


@test
def nested_projection_and_ranges(directory):
    table = typegen.random_table(SEED, 5000, 1).append_column(
        "st", typegen.column(SEED, CASES["struct_deep"][0], 5000, "nulls"))
    lance.write_dataset(table, lance_path(directory, "t"), data_storage_version=V22, max_rows_per_file=1300)
    d = lance.dataset(lance_path(directory, "t"))
    found = scan(directory, "t", "--columns", "st.x.z,st.w")
    for row, (f, v) in enumerate(zip(found["st"].to_pylist(), table["st"].to_pylist())):
        if v is None:
            assert f is None, row
        else:
            want_x = None if v["x"] is None else {"z": v["x"]["z"]}
            assert f["x"] == want_x and f["w"] == v["w"], (row, f, v)
    for offset, limit in ((0, 1), (1299, 2), (1300, 1300), (4999, 10), (5000, 1), (37, 3000)):
        assert_same(d.to_table(offset=offset, limit=limit),
                    scan(directory, "t", "--offset", offset, "--limit", limit), "range %d %d" % (offset, limit))


if __name__ == "__main__":
    main()
