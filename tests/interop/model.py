"""Random sequences of changes against a model in memory, made by us and by the real LanceDB in turns on one
directory. After each step both sides read the table, and every version says what it changed."""
import json
import os
import random
import subprocess
import threading

import lance
import lancedb
import pyarrow as pa

from glaive_cli import BIN, ipc_bytes, rows, run, scan
from suite import SEED, cases, main, test

STEPS = int(os.environ.get("GLAIVE_MODEL_STEPS", "45"))
SCHEMA = pa.schema([pa.field("id", pa.int64(), nullable=False), ("name", pa.string()), ("n", pa.int64()),
                    ("tags", pa.list_(pa.string()))])


def row(rng, key):
    return {"id": key, "name": rng.choice([None, "", "a", "b", "Zoë"]), "n": rng.choice([None, rng.randint(-50, 50)]),
            "tags": rng.choice([None, [], ["x"], ["x", None, "y"]])}


class Model:
    """The rows by key, and the columns that came and went."""

    def __init__(self, rng):
        self.rng = rng
        self.rows = {}
        self.next_key = 0
        self.columns = list(SCHEMA.names)
        self.types = {f.name: f.type for f in SCHEMA}
        self.history = {}
        self.fresh = 0

    def new_rows(self, count):
        made = []
        for _ in range(count):
            made.append(row(self.rng, self.next_key))
            self.next_key += 1
        return [{c: r.get(c) for c in self.columns} for r in made]

    def table(self, made):
        fields = [pa.field(c, self.types[c], nullable=c != "id") for c in self.columns]
        return pa.Table.from_pylist([{c: r.get(c) for c in self.columns} for r in made], schema=pa.schema(fields))

    def matching(self, threshold):
        return [k for k, r in self.rows.items() if r.get("n") is not None and r["n"] > threshold]


class Ours:
    def __init__(self, directory):
        self.directory = directory

    def add(self, table):
        run("add", self.directory, "t", "-", "--format", "arrow-stream", data=ipc_bytes(table))

    def delete(self, where):
        run("delete", self.directory, "t", "--where", where)

    def update(self, where, column, value):
        run("update", self.directory, "t", "--where", where, "--set", "%s=%s" % (column, value))

    def upsert(self, table):
        run("upsert", self.directory, "t", "-", "--format", "arrow-stream", "--on", "id", data=ipc_bytes(table))

    def insert_only(self, table):
        run("merge", self.directory, "t", "-", "--format", "arrow-stream", "--on", "id", "--insert", data=ipc_bytes(table))

    def replace_all(self, table):
        run("merge", self.directory, "t", "-", "--format", "arrow-stream", "--on", "id", "--update", "--insert", "--delete",
            data=ipc_bytes(table))

    def add_column(self, name, expression):
        run("columns", "add", self.directory, "t", "%s=%s" % (name, expression))

    def rename(self, old, new):
        run("columns", "alter", self.directory, "t", old, "--rename", new)

    def drop_column(self, name):
        run("columns", "drop", self.directory, "t", name)

    def optimize(self):
        run("optimize", self.directory, "t")

    def restore(self, version):
        run("restore", self.directory, "t", version)

    def read(self):
        return scan(self.directory, "t")

    def version(self):
        return rows(self.directory, "versions", "t", "--limit", "1")[-1]["version"]


class Theirs:
    def __init__(self, directory):
        self.directory = directory

    @property
    def table(self):
        return lancedb.connect(self.directory).open_table("t")

    def add(self, table):
        self.table.add(table)

    def delete(self, where):
        self.table.delete(where)

    def update(self, where, column, value):
        self.table.update(where=where, values_sql={column: value})

    def upsert(self, table):
        self.table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(table)

    def insert_only(self, table):
        self.table.merge_insert("id").when_not_matched_insert_all().execute(table)

    def replace_all(self, table):
        (self.table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
         .when_not_matched_by_source_delete().execute(table))

    def add_column(self, name, expression):
        self.table.add_columns({name: expression})

    def rename(self, old, new):
        self.table.alter_columns({"path": old, "rename": new})

    def drop_column(self, name):
        self.table.drop_columns([name])

    def optimize(self):
        self.table.optimize()

    def restore(self, version):
        self.table.restore(version)

    def read(self):
        return lance.dataset(os.path.join(self.directory, "t.lance")).to_table()


def as_rows(table, columns):
    assert set(table.schema.names) == set(columns), (table.schema.names, columns)
    return {r["id"]: r for r in table.select(columns).to_pylist()}


def step(model, side):
    rng = model.rng
    kind = rng.choice(["add"] * 4 + ["delete", "update", "upsert", "upsert", "insert_only", "replace_all", "add_column", "rename",
                                      "drop_column", "optimize", "restore"])
    if kind == "add":
        made = model.new_rows(rng.choice([1, 1, 3, 20]))
        side.add(model.table(made))
        model.rows.update({r["id"]: r for r in made})
    elif kind == "delete":
        limit = rng.randint(0, 50)
        side.delete("n > %d" % limit)
        for key in model.matching(limit):
            del model.rows[key]
    elif kind == "update":
        limit = rng.randint(-50, 50)
        side.update("n > %d" % limit, "n", "n + 1")
        for key in model.matching(limit):
            model.rows[key]["n"] += 1
    elif kind in ("upsert", "insert_only", "replace_all"):
        old = rng.sample(sorted(model.rows), min(len(model.rows), rng.randint(0, 8)))
        made = model.new_rows(rng.randint(1, 4)) + [{c: row(rng, k).get(c) for c in model.columns} for k in old]
        rng.shuffle(made)
        getattr(side, kind)(model.table(made))
        if kind == "replace_all":
            model.rows = {}
        for r in made:
            if kind != "insert_only" or r["id"] not in model.rows:
                model.rows[r["id"]] = r
    elif kind == "add_column":
        model.fresh += 1
        name = "c%d" % model.fresh
        side.add_column(name, "n * 2")
        model.columns.append(name)
        model.types[name] = pa.int64()
        for r in model.rows.values():
            r[name] = None if r["n"] is None else r["n"] * 2
    elif kind in ("rename", "drop_column"):
        extra = [c for c in model.columns if c.startswith("c")]
        if not extra:
            return None
        name = rng.choice(extra)
        if kind == "drop_column":
            side.drop_column(name)
            model.columns.remove(name)
            for r in model.rows.values():
                r.pop(name, None)
        else:
            model.fresh += 1
            new = "c%d" % model.fresh
            side.rename(name, new)
            model.columns[model.columns.index(name)] = new
            model.types[new] = model.types[name]
            for r in model.rows.values():
                r[new] = r.pop(name)
    elif kind == "optimize":
        side.optimize()
    elif kind == "restore":
        if not model.history:
            return None
        version = rng.choice(sorted(model.history))
        side.restore(version)
        kept, columns = model.history[version]
        model.rows = {k: dict(r) for k, r in kept.items()}
        model.columns = list(columns)
    return kind


@cases([(seed, stable) for seed in range(4) for stable in (False, True)])
def changes_in_turns(directory, seed, stable):
    rng = random.Random(SEED * 100 + seed)
    model = Model(rng)
    first = model.new_rows(30)
    db = lancedb.connect(directory)
    db.create_table("t", model.table(first),
                    storage_options={"new_table_enable_stable_row_ids": "true" if stable else "false"})
    model.rows = {r["id"]: r for r in first}
    sides = [Ours(directory), Theirs(directory)]
    done = []
    for _ in range(STEPS):
        side = rng.choice(sides)
        try:
            kind = step(model, side)
        except BaseException as error:
            raise AssertionError("after %s, %s by %s: %s" % (done, "a step", type(side).__name__, error)) from error
        if kind is None:
            continue
        done.append("%s by %s" % (kind, type(side).__name__))
        for reader in sides:
            found = as_rows(reader.read(), model.columns)
            assert found == model.rows, "after %s, %s reads %s" % (
                done[-8:], type(reader).__name__,
                [(k, found.get(k), model.rows.get(k)) for k in set(found) | set(model.rows) if found.get(k) != model.rows.get(k)][:3])
        if rng.random() < 0.3:
            version = sides[0].version()
            model.history[version] = ({k: dict(r) for k, r in model.rows.items()}, list(model.columns))
            if len(model.history) > 4:
                del model.history[min(model.history)]
    dataset = lance.dataset(os.path.join(directory, "t.lance"))
    for version in dataset.versions():
        assert dataset.read_transaction(version["version"]) is not None, version
    verified = run("verify", directory, "t", check=False)
    assert verified.returncode == 0, verified.stdout.decode()[:500]


def in_parallel(works):
    errors = []

    def guarded(work):
        try:
            work()
        except BaseException as error:
            errors.append(error)
    threads = [threading.Thread(target=guarded, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors, errors[:3]


@test
def no_update_is_lost_between_both(directory):
    """Counters of one row, incremented by processes of ours and by LanceDB at once."""
    db = lancedb.connect(directory)
    db.create_table("t", pa.table({"id": pa.array([1, 2], pa.int64()), "n": pa.array([0, 0], pa.int64())}))

    def ours():
        for _ in range(6):
            run("update", directory, "t", "--where", "id = 1", "--set", "n=n + 1")

    def theirs():
        table = lancedb.connect(directory).open_table("t")
        done = 0
        while done < 6:
            try:
                table.update(where="id = 1", values_sql={"n": "n + 1"})
                done += 1
            except Exception as error:  # LanceDB gives up after its own retries
                assert "conflict" in str(error).lower() or "too many" in str(error).lower(), error
    in_parallel([ours, ours, theirs])
    assert lancedb.connect(directory).open_table("t").to_arrow().sort_by("id")["n"].to_pylist() == [18, 0]


@cases([(False,), (True,)])
def upserts_of_one_key(directory, declared):
    """With a declared key, upserts of both sides never leave two rows; without, ours don't among themselves."""
    schema = pa.schema([pa.field("id", pa.int64(), nullable=False), ("v", pa.string())])
    db = lancedb.connect(directory)
    table = db.create_table("t", schema=schema)
    if declared:
        table.set_unenforced_primary_key("id")

    def ours(writer):
        for key in range(4):
            run("upsert", directory, "t", "-", "--format", "arrow-stream", "--on", "id",
                data=ipc_bytes(pa.table({"id": [key], "v": ["g%d" % writer]}, schema=schema)))

    def theirs(writer):
        own = lancedb.connect(directory).open_table("t")
        for key in range(4):
            own.merge_insert("id").when_matched_update_all().when_not_matched_insert_all().execute(
                pa.table({"id": [key], "v": ["l%d" % writer]}, schema=schema))
    works = [lambda w=w: ours(w) for w in range(4)]
    if declared:
        works += [lambda w=w: theirs(w) for w in range(2)]
    in_parallel(works)
    keys = sorted(lancedb.connect(directory).open_table("t").to_arrow()["id"].to_pylist())
    assert keys == [0, 1, 2, 3], keys


if __name__ == "__main__":
    main()
