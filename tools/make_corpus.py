#!/usr/bin/env python3
"""Makes data/debian-packages.jsonl and data/debian-packages-new.jsonl (a few more records to append):
real package metadata of Debian 12 (bookworm, main, amd64).

The metadata comes from apt's package lists; no package is downloaded. The sample is deterministic: of all
packages that are tagged and not merely libraries or translations, one per source package, those whose
name has the smallest SHA-256. Only the order of the sample depends on the hash, so a later point release of
Debian changes the versions in the file, not the choice.

  tools/make_corpus.py [DIRECTORY]
"""
import argparse
import hashlib
import json
import re
import subprocess
import tempfile
from pathlib import Path

SKIPPED_SECTIONS = {"libs", "libdevel", "oldlibs", "debug", "localization", "translations", "metapackages"}
DESCRIPTION_CHARACTERS = 130
MOST_DEPENDS = 4
MOST_TAGS = 4
RECORDS = 3000
NEW_RECORDS = 25


# Pages of package registries say nothing about a program; nor do addresses that look like local paths.
REGISTRIES = re.compile(r"registry|mirror|pypi|npmjs|crates\.io|rubygems|proxy\.|/simple\b")


def homepage(address):
    return None if address is None or REGISTRIES.search(address) else address


def package_lists(directory: str) -> list[Path]:
    """Fetches the package lists and the English descriptions into `directory`."""
    lists = Path(directory)
    lists.chmod(0o755)  # apt fetches as another user
    (lists / "partial").mkdir()
    subprocess.run(
        ["apt-get", "-qq", "-o", "Acquire::Languages=en", "-o", f"Dir::State::lists={directory}",
         "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "update"], check=True)
    return sorted(path for path in lists.iterdir() if "_bookworm_main_" in path.name)


def paragraphs(path: Path):
    """The stanzas of a Debian control file as dictionaries; continuation lines keep their line breaks."""
    text = subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", str(path)], check=True,
                          capture_output=True).stdout.decode("utf-8")
    for stanza in text.split("\n\n"):
        fields, key = {}, None
        for line in stanza.split("\n"):
            if line[:1] in (" ", "\t"):
                fields[key] += "\n" + line[1:]
            elif ":" in line:
                key, value = line.split(":", 1)
                fields[key] = value.strip()
        if fields:
            yield fields


def shorten(text: str) -> str:
    """The first sentences of `text`, at most DESCRIPTION_CHARACTERS long."""
    if len(text) <= DESCRIPTION_CHARACTERS:
        return text
    cut = text[:DESCRIPTION_CHARACTERS]
    sentence = cut.rfind(". ")
    if sentence > DESCRIPTION_CHARACTERS // 2:
        return cut[: sentence + 1]
    return cut[: cut.rfind(" ")] + " …"


def describe(long_text: str) -> str:
    summary, _, body = long_text.partition("\n")
    first = body.split("\n.\n", 1)[0]
    first = re.sub(r"\s+", " ", first).strip()
    summary = summary.strip().rstrip(".")
    return f"{summary}. {shorten(first)}" if first else summary


def names(dependencies: str) -> list[str]:
    """Package names without versions, architectures and alternatives, in order, each once."""
    found = [re.split(r"[\s(:|\[]", part.strip(), maxsplit=1)[0] for part in dependencies.split(",")]
    return list(dict.fromkeys(name for name in found if name))


def record(fields: dict, text: str) -> dict:
    maintainer = re.match(r"\s*(.*?)\s*<([^>]*)>", fields["Maintainer"])
    tags = [tag.strip() for tag in fields.get("Tag", "").split(",") if tag.strip()]
    return {
        "package": fields["Package"],
        "version": fields["Version"],
        "section": fields["Section"],
        "priority": fields["Priority"],
        "installed_size": int(fields.get("Installed-Size", 0)),
        "maintainer": {"name": maintainer.group(1).strip('"'), "email": maintainer.group(2)},
        "depends": names(fields.get("Depends", ""))[:MOST_DEPENDS],
        "tags": tags[:MOST_TAGS],
        "homepage": homepage(fields.get("Homepage")),
        "description": describe(text),
    }


def wanted(fields: dict) -> bool:
    section = fields.get("Section", "").split("/")[-1]
    return ("Tag" in fields and section not in SKIPPED_SECTIONS
            and not re.match(r"lib|fonts-|.*-(dev|doc|data|common|dbg)$", fields["Package"])
            and re.match(r".*<[^>]*>", fields["Maintainer"]) is not None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("directory", nargs="?", type=Path, default=Path(__file__).parent.parent / "data")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        lists = package_lists(directory)
        texts = {}
        for path in lists:
            if "Translation-en" in path.name:
                for fields in paragraphs(path):
                    texts[fields["Package"], fields["Description-md5"]] = fields["Description-en"]
        sources = {}
        for path in lists:
            if "_Packages" in path.name:
                for fields in paragraphs(path):
                    text = texts.get((fields["Package"], fields.get("Description-md5")))
                    if text and wanted(fields):
                        source = fields.get("Source", fields["Package"]).split(" ")[0]
                        sources.setdefault(source, (fields, text))
    chosen = sorted(sources.values(), key=lambda entry: hashlib.sha256(entry[0]["Package"].encode()).digest())
    write(arguments.directory / "debian-packages.jsonl", chosen[:RECORDS])
    write(arguments.directory / "debian-packages-new.jsonl", chosen[RECORDS : RECORDS + NEW_RECORDS])


def write(path: Path, chosen: list) -> None:
    records = sorted((record(*entry) for entry in chosen), key=lambda row: row["package"])
    with open(path, "w", encoding="utf-8") as out:
        for row in records:
            out.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
    print(f"{path}: {len(records)} records, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
