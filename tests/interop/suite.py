"""A small runner: every test is a function; failures are collected, the seed is printed.

Each file of this folder is a program: `python file.py [pattern]`. Exit code 0 only if all passed."""
import os
import shutil
import sys
import tempfile
import time
import traceback

SEED = int(os.environ.get("GLAIVE_SEED", "20261121"))
_tests = []


def test(function):
    _tests.append((function.__name__, function, ()))
    return function


def cases(parameters):
    """One test per parameter tuple."""
    def wrap(function):
        for p in parameters:
            p = p if isinstance(p, tuple) else (p,)
            _tests.append((function.__name__ + "[" + ",".join(map(str, p)) + "]", function, p))
        return function
    return wrap


class Scratch:
    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="glaive-interop-")
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def main():
    pattern = sys.argv[1] if len(sys.argv) > 1 else ""
    passed, failed = 0, []
    start = time.time()
    print("seed %d" % SEED)
    for name, function, parameters in _tests:
        if pattern not in name:
            continue
        try:
            with Scratch() as directory:
                function(directory, *parameters)
            passed += 1
        except Exception as error:  # a test may raise anything, a panic of the peer included
            failed.append(name)
            print("FAIL %s: %s" % (name, str(error)[:600]), flush=True)
            if os.environ.get("GLAIVE_TRACE"):
                traceback.print_exc()
        except BaseException as error:  # pyo3 panics are not Exceptions
            if isinstance(error, KeyboardInterrupt):
                raise
            failed.append(name)
            print("FAIL %s: %s" % (name, str(error)[:600]), flush=True)
    print("%.1f s" % (time.time() - start))
    print("%d passed, %d failed" % (passed, len(failed)), flush=True)
    sys.exit(1 if failed or passed == 0 else 0)
