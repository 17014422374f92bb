"""Drives the glaive tool as a user does: every verb, every format, errors, exit codes, Ctrl-C.

  cli_test.py GLAIVE_BINARY
"""
import base64
import datetime
import decimal
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

GLAIVE = os.environ.get("GLAIVE_BIN", "glaive")
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORPUS = os.path.join(ROOT, "data/debian-packages.jsonl")
NEW = os.path.join(ROOT, "data/debian-packages-new.jsonl")


class ToolTest(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="glaive_cli_")
        self.db = os.path.join(self.dir, "db")

    def tearDown(self):
        shutil.rmtree(self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def run_tool(self, *args, data=None, code=0):
        done = subprocess.run([GLAIVE, *map(str, args)], input=data, capture_output=True)
        self.assertEqual(done.returncode, code, "glaive %s: %s" % (" ".join(map(str, args)), done.stderr.decode()))
        return done

    def text(self, *args, **kwargs):
        return self.run_tool(*args, **kwargs).stdout.decode()

    def lines(self, *args, **kwargs):
        return [json.loads(line) for line in self.text(*args, "--json", **kwargs).splitlines()]

    def one(self, *args, **kwargs):
        lines = self.lines(*args, **kwargs)
        self.assertEqual(len(lines), 1)
        return lines[0]

    def fails(self, error, *args, code=1, data=None):
        """Fails with this code name, as text and as JSON, and says nothing on stdout."""
        plain = self.run_tool(*args, code=code, data=data)
        self.assertEqual(plain.stdout, b"")
        lines = plain.stderr.decode().splitlines()  # between the two may stand the place in an expression
        self.assertTrue(lines[0].startswith("error: %s: " % error), lines)
        self.assertTrue(lines[-1].startswith("remedy: "), lines)
        found = json.loads(self.run_tool(*args, "--json", code=code, data=data).stderr)
        self.assertEqual(found["error"], error)
        self.assertTrue(found["message"] and found["remedy"] and found["code"] > 0)
        return found["message"]

    def ids(self, *args):
        return [row["id"] for row in self.lines("scan", self.db, "t", *args)]

    def make(self, rows=10):
        """Table t: id, vector [id, 0]."""
        text = "".join('{"id": %d, "vector": [%d, 0]}\n' % (i, i) for i in range(rows))
        return self.one("import", self.db, "t", "-", "--format", "jsonl", "--vector-column", "vector",
                        data=text.encode())


class Reading(ToolTest):
    def test_tables_schema_count(self):
        self.assertEqual(self.make(), {"table": "t", "version": 1, "rows": 10})
        self.assertEqual(self.lines("tables", self.db), [{"name": "t"}])
        self.assertEqual(self.text("tables", self.db), "t\n")
        fields = self.one("schema", self.db, "t")["fields"]
        self.assertEqual([(f["name"], f["type"]) for f in fields][0], ("id", "int64"))
        self.assertIn("fixed_size_list", fields[1]["type"])
        self.assertIn("int64", self.text("schema", self.db, "t"))
        self.assertEqual(self.one("count", self.db, "t"), {"rows": 10})
        self.assertEqual(self.text("count", self.db, "t"), "10\n")

    def test_scan(self):
        self.make(30)
        self.assertEqual(self.ids(), list(range(30)))
        self.assertEqual(self.ids("--limit", 3, "--offset", 28), [28, 29])
        self.assertEqual(self.lines("scan", self.db, "t", "-c", "id", "--row-id", "-n", 1), [{"id": 0, "_rowid": 0}])
        table = self.text("scan", self.db, "t")
        self.assertIn("20 of 30 rows (more with --limit", table)
        self.assertEqual(len(table.splitlines()), 23)
        self.assertIn("[7, 0]", table)
        self.assertEqual(self.text("scan", self.db, "t", "--csv", "-n", 1), 'id,vector\n0,"[0,0]"\n')
        arrow = self.run_tool("scan", self.db, "t", "--arrow").stdout
        self.assertEqual(pa.ipc.open_stream(arrow).read_all()["id"].to_pylist(), list(range(30)))
        self.run_tool("scan", self.db, "t", "--parquet", "-o", self.path("x.parquet"))
        self.assertEqual(pa.parquet.read_table(self.path("x.parquet")).num_rows, 30)

    def test_take(self):
        self.make()
        taken = self.lines("take", self.db, "t", "--offsets", "7,2,7", "-c", "id")
        self.assertEqual(taken, [{"id": 7}, {"id": 2}, {"id": 7}])
        self.assertEqual(self.lines("take", self.db, "t", "--row-ids", "3", "-c", "id"), [{"id": 3}])
        self.fails("InvalidArgument", "take", self.db, "t", "--offsets", "10")
        self.fails("InvalidArgument", "take", self.db, "t")

    def test_search(self):
        self.make()
        found = self.lines("search", self.db, "t", "--vector", "[4.2, 0]", "-k", 2, "-c", "id")
        self.assertEqual([row["id"] for row in found], [4, 5])
        self.assertAlmostEqual(found[0]["_distance"], 0.04, 5)
        with open(self.path("q"), "w") as file:
            file.write("[1, 0]\n[8, 0]\n")
        found = self.lines("search", self.db, "t", "--vector-file", self.path("q"), "-k", 1, "-c", "id")
        self.assertEqual([(row["id"], row["query_index"]) for row in found], [(1, 0), (8, 1)])
        bounded = self.lines("search", self.db, "t", "--vector", "[0,0]", "--lower-bound", "3", "--upper-bound",
                             "16", "-c", "id")
        self.assertEqual([row["id"] for row in bounded], [2, 3])
        self.assertIn("_distance", self.text("search", self.db, "t", "--vector", "[0,0]"))
        self.assertIn("2", self.fails("InvalidArgument", "search", self.db, "t", "--vector", "[1,2,3]"))
        self.fails("InvalidArgument", "search", self.db, "t", "--vector", "[1,")
        self.fails("InvalidArgument", "search", self.db, "t", "--vector", "[nan,0]")
        self.fails("InvalidArgument", "search", self.db, "t", "--text", "words")
        self.fails("InvalidArgument", "search", self.db, "t")


class Versions(ToolTest):
    def test_history(self):
        self.make()
        more = b'{"id": 10, "vector": [1, 2]}\n'
        added = self.one("add", self.db, "t", "-", "-f", "jsonl", data=more)
        self.assertEqual(added, {"table": "t", "version": 2, "added": 1})
        deleted = self.one("delete", self.db, "t", "--offsets", "0,10")
        self.assertEqual(deleted, {"table": "t", "version": 3, "deleted": 2})
        self.assertEqual(self.ids(), list(range(1, 10)))
        self.assertEqual(self.one("delete", self.db, "t", "--row-ids", "1,1,99")["deleted"], 1)

        versions = self.lines("versions", self.db, "t")
        self.assertEqual([(v["version"], v["rows"]) for v in versions], [(1, 10), (2, 11), (3, 9), (4, 8)])
        self.assertEqual([v["version"] for v in self.lines("versions", self.db, "t", "-n", 2)], [3, 4])
        datetime.datetime.fromisoformat(versions[0]["timestamp"].replace("Z", "+00:00"))
        self.assertEqual(self.ids("--version", 1), list(range(10)))
        self.assertEqual(self.ids("--as-of", versions[3]["timestamp"].replace("Z", "999Z")), list(range(2, 10)))
        self.fails("NotFound", "scan", self.db, "t", "--version", 77)
        self.fails("InvalidArgument", "scan", self.db, "t", "--version", 1, "--tag", "x")
        self.fails("InvalidArgument", "scan", self.db, "t", "--as-of", "yesterday")

        self.assertEqual(self.one("tag", "create", self.db, "t", "good", 2), {"name": "good", "version": 2})
        self.fails("AlreadyExists", "tag", "create", self.db, "t", "good", 2)
        self.assertEqual(len(self.ids("--tag", "good")), 11)
        self.one("tag", "update", self.db, "t", "good", 1)
        tags = self.lines("tag", "list", self.db, "t")
        self.assertEqual([(tag["name"], tag["version"]) for tag in tags], [("good", 1)])
        self.assertIn("good", self.text("versions", self.db, "t"))
        self.fails("InvalidArgument", "tag", "burn", self.db, "t")

        looked = self.one("checkout", self.db, "t", "good")
        self.assertEqual((looked["version"], looked["rows"]), (1, 10))
        self.assertIn("glaive restore", self.text("checkout", self.db, "t", 1))
        self.assertEqual(self.one("restore", self.db, "t", "good"), {"table": "t", "restored": 1, "version": 5})
        self.assertEqual(self.ids(), list(range(10)))
        self.one("tag", "delete", self.db, "t", "good")
        self.assertEqual(self.lines("tag", "list", self.db, "t"), [])
        self.fails("NotFound", "checkout", self.db, "t", "good")
        self.assertEqual(self.lines("branches", self.db, "t"), [])

    def test_optimize_and_cleanup(self):
        self.make()
        for i in range(10, 14):
            self.one("add", self.db, "t", "-", "-f", "jsonl", data=b'{"id": %d, "vector": [1, 2]}\n' % i)
        self.one("delete", self.db, "t", "--offsets", "0")
        self.one("tag", "create", self.db, "t", "keep", 2)
        done = self.one("optimize", self.db, "t", "--no-cleanup")
        self.assertEqual((done["fragments_removed"], done["fragments_added"], done["version"]), (5, 1, 8))
        self.assertEqual(self.ids(), list(range(1, 14)))
        would = self.one("cleanup", self.db, "t", "--older-than", "0", "--dry-run")
        self.assertEqual((would["versions_removed"], would["dry_run"]), (6, True))
        self.fails("PreconditionFailed", "cleanup", self.db, "t", "--older-than", "0", "--error-if-tagged")
        self.assertEqual(self.one("cleanup", self.db, "t", "--older-than", "0", "--keep", "3")["versions_removed"], 4)
        self.assertIn("2 versions removed", self.text("cleanup", self.db, "t", "--older-than", "0"))
        self.assertEqual([v["version"] for v in self.lines("versions", self.db, "t")], [2, 8])
        self.assertIn("0 fragments became 0", self.text("optimize", self.db, "t", "--older-than", "7d"))
        self.assertTrue(self.one("verify", self.db, "t")["sound"])
        self.fails("InvalidArgument", "cleanup", self.db, "t", "--older-than", "soon")
        self.fails("InvalidArgument", "optimize", self.db, "t", "--older-than", "0", "--no-cleanup")
        self.fails("NotFound", "optimize", self.db, "nothing")

    def test_verify_and_inspect(self):
        self.make(5000)
        report = self.one("verify", self.db, "t")
        self.assertEqual((report["sound"], report["rows"], report["defects"]), (True, 5000, []))
        self.assertIn("sound", self.text("verify", self.db, "t"))
        layout = self.one("inspect", self.db, "t")
        file = layout["fragments"][0]["files"][0]
        self.assertEqual(file["rows"], 5000)
        self.assertEqual(sum(page["rows"] for page in file["columns"][0]["pages"]), 5000)
        self.assertIn(file["path"], self.text("inspect", self.db, "t"))

        path = os.path.join(self.db, "t.lance", file["path"])
        if not os.path.exists(path):
            path = os.path.join(self.db, "t.lance", "data", file["path"])
        with open(path, "r+b") as damaged:
            damaged.truncate(os.path.getsize(path) - 7)
        found = self.run_tool("verify", self.db, "t", "--json", code=1)
        report = json.loads(found.stdout)
        self.assertFalse(report["sound"])
        self.assertTrue(report["defects"])
        self.fails("Corruption", "export", self.db, "t", self.path("x.csv"))
        self.assertFalse(os.path.exists(self.path("x.csv")))


class Tables(ToolTest):
    def test_create_drop_rename(self):
        made = self.one("create", self.db, "t", "--schema", "id: int64 not null, v: vector[4], s: struct<a: string>")
        self.assertEqual(made, {"table": "t", "version": 1})
        self.one("create", self.db, "u", "--like", "t")
        self.assertEqual(self.one("schema", self.db, "u"), self.one("schema", self.db, "t"))
        self.fails("AlreadyExists", "create", self.db, "t", "--schema", "id: int64")
        self.one("create", self.db, "t", "--schema", "id: int64", "--mode", "overwrite")
        self.assertEqual(len(self.one("schema", self.db, "t")["fields"]), 1)
        self.one("rename", self.db, "u", "w")
        self.fails("NotFound", "rename", self.db, "u", "x")
        self.fails("AlreadyExists", "rename", self.db, "w", "t")
        self.one("drop", self.db, "w")
        self.assertEqual(self.lines("tables", self.db), [{"name": "t"}])
        self.fails("NotFound", "drop", self.db, "w")
        self.fails("NotFound", "scan", self.db, "w")
        self.fails("InvalidArgument", "create", self.db, "x", "--schema", "id: int65")
        self.fails("InvalidArgument", "create", self.db, "..", "--schema", "id: int64")

    def test_import_modes(self):
        self.make(3)
        data = b'{"id": 9, "vector": [9, 9]}\n'
        args = ("import", self.db, "t", "-", "-f", "jsonl", "--vector-column", "vector:2")
        self.fails("AlreadyExists", *args, data=data)
        self.run_tool(*args, "--mode", "exist-ok", data=data)
        self.assertEqual(self.ids(), [0, 1, 2])
        self.run_tool(*args, "--mode", "append", data=data)
        self.assertEqual(self.ids(), [0, 1, 2, 9])
        self.run_tool(*args, "--mode", "overwrite", data=data)
        self.assertEqual(self.ids(), [9])
        self.assertEqual(self.ids("--version", 1), [0, 1, 2])
        for version in ("2.0", "2.1", "2.2"):
            name = "v" + version.replace(".", "")
            self.run_tool("import", self.db, name, "-", "-f", "jsonl", "--data-storage-version", version,
                          "--stable-row-ids", "--max-rows-per-file", 1, data=b'{"a": 1}\n{"a": 2}\n')
            layout = self.one("inspect", self.db, name)
            self.assertTrue(layout["stable_row_ids"])
            self.assertEqual([f["files"][0]["version"] for f in layout["fragments"]], [version] * 2)

    def test_bad_vectors_change_nothing(self):
        bad = b'{"id": 1, "vector": [1, 2]}\n{"id": 2, "vector": [1]}\n'
        message = self.fails("InvalidArgument", "import", self.db, "t", "-", "-f", "jsonl", "--vector-column",
                             "vector", data=bad)
        self.assertIn("row 1", message)
        self.make()
        self.fails("InvalidArgument", "add", self.db, "t", "-", "-f", "jsonl", data=bad)
        self.assertEqual(self.one("count", self.db, "t")["rows"], 10)


class Formats(ToolTest):
    TABLE = pa.table({
        "i": pa.array([1, None, 2**53 + 1], pa.int64()),
        "f": pa.array([0.1, None, -1e300], pa.float64()),
        "s": pa.array(['a,"b"\nc', None, "Grüße"], pa.string()),
        "b": pa.array([True, None, False], pa.bool_()),
    })
    NESTED = pa.table({
        "l": pa.array([[1, None], None, []], pa.list_(pa.int32())),
        "st": pa.array([{"x": {"y": "z"}}, None, {"x": None}],
                       pa.struct([("x", pa.struct([("y", pa.string())]))])),
        "v": pa.array([[1, 2], None, [3, 4.5]], pa.list_(pa.float32(), 2)),
        "d": pa.array([decimal.Decimal("-1.23"), None, decimal.Decimal("99.00")], pa.decimal128(10, 2)),
        "t": pa.array([0, None, -1], pa.timestamp("us", "UTC")),
        "day": pa.array([0, None, 19782], pa.date32()),
        "bin": pa.array([b"\xff", None, b""], pa.binary()),
    })

    def write(self, table, name):
        path = self.path(name)
        if name.endswith("parquet"):
            pa.parquet.write_table(table, path)
        elif name.endswith("csv"):
            pa.csv.write_csv(table, path)
        elif name.endswith("jsonl"):
            with open(path, "w") as file:
                file.write("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
        else:
            open_writer = pa.ipc.new_file if name.endswith("arrow") else pa.ipc.new_stream
            with open_writer(path, table.schema) as writer:
                writer.write_table(table, max_chunksize=2)
        return path

    def test_every_format_round_trips(self):
        for end in ("parquet", "csv", "jsonl", "arrow", "arrows"):
            with self.subTest(end):
                source = self.write(self.TABLE, "in." + end)
                self.run_tool("import", self.db, end, source)
                found = pa.ipc.open_stream(self.run_tool("scan", self.db, end, "--arrow").stdout).read_all()
                self.assertEqual(found.to_pydict(), self.TABLE.to_pydict())
                back = self.path("out." + end)
                self.run_tool("export", self.db, end, back)
                self.run_tool("add", self.db, end, back)
                self.assertEqual(self.one("count", self.db, end)["rows"], 6)
                again = pa.ipc.open_stream(self.run_tool("scan", self.db, end, "--arrow", "--offset", 3).stdout)
                self.assertEqual(again.read_all().to_pydict(), self.TABLE.to_pydict())

    def test_nested_types(self):
        for end in ("parquet", "arrow", "arrows"):
            with self.subTest(end):
                self.run_tool("import", self.db, end, self.write(self.NESTED, "in." + end))
                self.run_tool("export", self.db, end, self.path("out." + end))
                self.run_tool("import", self.db, end + "2", self.path("out." + end))
                found = pa.ipc.open_stream(self.run_tool("scan", self.db, end + "2", "--arrow").stdout).read_all()
                self.assertEqual(found.to_pydict(), self.NESTED.to_pydict())

    def test_json_reads_back_into_its_own_table(self):
        self.run_tool("import", self.db, "t", self.write(self.NESTED, "in.arrow"))
        self.run_tool("export", self.db, "t", self.path("out.jsonl"))
        self.run_tool("add", self.db, "t", self.path("out.jsonl"))
        found = pa.ipc.open_stream(self.run_tool("scan", self.db, "t", "--arrow", "--offset", 3).stdout).read_all()
        self.assertEqual(found.to_pydict(), self.NESTED.to_pydict())

    def test_json_values(self):
        self.run_tool("import", self.db, "t", self.write(self.NESTED, "in.arrow"))
        first = self.lines("scan", self.db, "t")[0]
        self.assertEqual(first, {"l": [1, None], "st": {"x": {"y": "z"}}, "v": [1, 2], "d": "-1.23",
                                 "t": "1970-01-01T00:00:00.000000Z", "day": "1970-01-01",
                                 "bin": base64.b64encode(b"\xff").decode()})

    def test_floats(self):
        table = pa.table({"f": pa.array([math.nan, math.inf, -math.inf, -0.0], pa.float64())})
        self.run_tool("import", self.db, "t", self.write(table, "in.arrow"))
        self.assertEqual(self.text("scan", self.db, "t", "--json").splitlines(),
                         ['{"f":"NaN"}', '{"f":"Infinity"}', '{"f":"-Infinity"}', '{"f":-0}'])

    def test_stdin_and_stdout(self):
        data = self.run_tool("import", self.db, "a", "-", "-f", "csv", data=b"id,v\n1,\"[1, 2]\"\n").stdout
        self.assertTrue(data)
        self.assertEqual(self.text("export", self.db, "a", "-", "-f", "jsonl"), '{"id":1,"v":"[1, 2]"}\n')
        self.run_tool("import", self.db, "b", "-", "-f", "csv", "--vector-column", "v", data=b"v\n\"[1, 2]\"\n")
        self.assertEqual(self.lines("scan", self.db, "b"), [{"v": [1, 2]}])
        self.fails("InvalidArgument", "import", self.db, "c", "-", "-f", "parquet", data=b"")
        self.fails("InvalidArgument", "import", self.db, "c", "-", data=b"")
        self.fails("InvalidArgument", "export", self.db, "a", self.path("x.xls"))

    def test_damaged_input(self):
        for end in ("parquet", "arrow", "jsonl"):
            with open(self.path("bad." + end), "w") as file:
                file.write("neither this nor that\n")
            done = self.run_tool("import", self.db, "t", self.path("bad." + end), code=1)
            self.assertTrue(done.stderr.startswith(b"error: "))
        self.fails("NotFound", "count", self.db, "t")


class Corpus(ToolTest):
    def test_embeddings(self):
        with open(CORPUS) as file:
            rows = sum(1 for _ in file)
        made = self.one("import", self.db, "p", CORPUS, "--embed", "description", "--dim", 128)
        self.assertEqual(made["rows"], rows)
        found = self.lines("search", self.db, "p", "--text", "chess game", "-k", 5, "-c",
                           "description")
        self.assertTrue(any("chess" in row["description"].lower() for row in found), found)
        distances = [row["_distance"] for row in found]
        self.assertEqual(distances, sorted(distances))
        added = self.one("add", self.db, "p", NEW)
        newest = self.lines("scan", self.db, "p", "--offset", rows)
        self.assertEqual(added["added"], len(newest))
        exact = self.lines("search", self.db, "p", "--text", newest[0]["description"], "-k", 1)
        self.assertEqual(exact[0]["package"], newest[0]["package"])
        self.assertAlmostEqual(exact[0]["_distance"], 0, 5)
        with open(CORPUS) as file:
            first = json.loads(file.readline())
        scanned = self.lines("scan", self.db, "p", "-n", 1)[0]
        self.assertEqual(len(scanned.pop("vector")), 128)
        self.assertEqual(scanned, first)
        self.fails("NotFound", "import", self.db, "q", CORPUS, "--embed", "nothing")
        self.fails("InvalidArgument", "import", self.db, "q", CORPUS, "--embed", "description", "--dim", 3)


class Process(ToolTest):
    def test_usage(self):
        self.assertIn("scan", self.text("--help"))
        self.assertIn("--row-id", self.text("scan", "--help"))
        self.assertEqual(self.one("version")["data_storage_versions"], ["2.0", "2.1", "2.2"])
        self.assertTrue(self.text("--version"))
        for args in ([], ["burn"], ["scan"], ["scan", self.db, "t", "--limit", "x"], ["scan", self.db, "t", "--limit",
                     "-1"], ["scan", self.db, "t", "--burn"], ["search", self.db, "t", "--metric", "l3"]):
            self.run_tool(*args, code=2)

    def test_missing_database(self):
        self.fails("NotFound", "tables", self.path("nowhere"))
        self.assertFalse(os.path.exists(self.path("nowhere")))

    def test_interrupt(self):
        process = subprocess.Popen([GLAIVE, "import", self.db, "t", "-", "-f", "csv", "--progress"],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdin.write(b"id\n" + b"1\n" * 3_000_000)
        process.stdin.flush()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        start = time.time()
        errors = process.stderr.read().decode()
        self.assertEqual(process.wait(), 130, errors)
        self.assertLess(time.time() - start, 10)
        process.stdin.close()
        process.stdout.close()
        process.stderr.close()
        self.assertIn("error: Cancelled: ", errors)
        self.assertEqual(self.lines("tables", self.db) if os.path.exists(self.db) else [], [])

    def test_closed_pipe(self):
        self.make(5000)
        process = subprocess.Popen([GLAIVE, "scan", self.db, "t", "--json"], stdout=subprocess.PIPE)
        process.stdout.readline()
        process.stdout.close()
        self.assertNotEqual(process.wait(), 1)


class Requests(ToolTest):
    """Filters, computed columns, order and parameters."""

    def setUp(self):
        super().setUp()
        rows = [{"id": 1, "name": "Ada", "size": 10}, {"id": 2, "name": None, "size": 20},
                {"id": 3, "name": "Cy", "size": None}, {"id": 4, "name": "O'Brien", "size": 40}]
        self.run_tool("import", self.db, "t", "-", "--format", "jsonl",
                      data="".join(json.dumps(row) + "\n" for row in rows).encode())

    def test_filter_count_and_parameters(self):
        self.assertEqual(self.ids("--filter", "size > 10 OR name = 'Cy'"), [2, 3, 4])
        self.assertEqual(self.ids("--filter", "name = :who", "--param", "who=O'Brien"), [4])
        self.assertEqual(self.ids("--filter", "id = $2", "--param", "1=7", "--param", "2=3"), [3])
        self.assertEqual(self.ids("--filter", "id IN (1, 2) AND name IS NULL"), [2])
        self.assertEqual(self.one("count", self.db, "t", "--filter", "size IS NOT NULL"), {"rows": 3})

    def test_select_order_distinct(self):
        rows = self.lines("scan", self.db, "t", "--select", "n=lower(name)", "--select", "twice=size * 2",
                          "--order-by", "size DESC NULLS FIRST", "--limit", 3)
        self.assertEqual(rows, [{"n": "cy", "twice": None}, {"n": "o'brien", "twice": 80}, {"n": None, "twice": 40}])
        self.assertEqual(len(self.lines("scan", self.db, "t", "--select", "x=size > 5", "--distinct")), 2)
        self.assertEqual(self.ids("--order-by", "id DESC", "--offset", 1, "--limit", 2), [3, 2])

    def test_errors_show_the_place(self):
        self.assertIn("did you mean 'size'", self.fails("InvalidArgument", "scan", self.db, "t", "--filter", "sise > 1"))
        done = self.run_tool("scan", self.db, "t", "--filter", "size > > 1", code=1)
        self.assertIn("line 1, column 8", done.stderr.decode())
        self.fails("InvalidArgument", "scan", self.db, "t", "--filter", "name = :who")
        self.fails("TypeMismatch", "scan", self.db, "t", "--filter", "size + 1")

    def test_explain(self):
        plan = self.one("explain", self.db, "t", "--filter", "size > 10", "--columns", "id")["plan"]
        self.assertIn("filter: (size > 10)", plan)
        self.assertIn("coverage: index none, scanned all", plan)


class Changing(ToolTest):
    def setUp(self):
        super().setUp()
        self.make(6)

    def test_update_and_delete_by_condition(self):
        self.assertEqual(self.one("update", self.db, "t", "--set", "id=id + 100", "--where", "id >= :low", "--param", "low=4"),
                         {"table": "t", "version": 2, "updated": 2})
        self.assertEqual(sorted(self.ids()), [0, 1, 2, 3, 104, 105])
        self.assertEqual(self.one("delete", self.db, "t", "--where", "id % 2 = 0")["deleted"], 3)
        self.assertEqual(sorted(self.ids()), [1, 3, 105])
        self.fails("InvalidArgument", "update", self.db, "t", "--set", "id")
        self.fails("NotFound", "update", self.db, "t", "--set", "idd=1")
        self.fails("InvalidArgument", "delete", self.db, "t")

    def test_merge_and_upsert(self):
        rows = b'{"id": 5, "vector": [9, 9]}\n{"id": 7, "vector": [7, 7]}\n'
        done = self.one("upsert", self.db, "t", "-", "--format", "jsonl", "--on", "id", data=rows)
        self.assertEqual((done["inserted"], done["updated"], done["deleted"]), (1, 1, 0))
        done = self.one("merge", self.db, "t", "-", "--format", "jsonl", "--on", "id", "--set", "vector=target.vector",
                        "--update-if", "source.id = 5", "--delete-if", "target.id < 2", data=rows)
        self.assertEqual((done["inserted"], done["updated"], done["deleted"]), (0, 1, 2))
        self.assertEqual(sorted(self.ids()), [2, 3, 4, 5, 7])
        twice = b'{"id": 8, "vector": [1, 1]}\n{"id": 8, "vector": [2, 2]}\n'
        self.assertIn("id = 8", self.fails("InvalidArgument", "upsert", self.db, "t", "-", "--format", "jsonl", "--on", "id",
                                           data=twice))
        self.fails("InvalidArgument", "merge", self.db, "t", "-", "--format", "jsonl", "--on", "id", data=rows)

    def test_columns(self):
        self.run_tool("columns", "add", self.db, "t", "twice=id * 2", "note=CAST(NULL AS string)")
        self.run_tool("columns", "alter", self.db, "t", "twice", "--rename", "double", "--type", "int")
        row = self.lines("scan", self.db, "t", "--filter", "id = 3", "--columns", "double,note")[0]
        self.assertEqual(row, {"double": 6, "note": None})
        self.run_tool("columns", "drop", self.db, "t", "note")
        self.fails("NotFound", "columns", "drop", self.db, "t", "note")
        self.fails("InvalidArgument", "columns", "alter", self.db, "t", "double", "--type", "number")
        self.fails("InvalidArgument", "columns", "rename", self.db, "t", "double")
        self.assertEqual(self.run_tool("verify", self.db, "t").returncode, 0)


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        GLAIVE = os.path.abspath(sys.argv.pop(1))
    unittest.main()
