#!/usr/bin/env bash
# The main job on real input: imports the corpus of the repository with embeddings, looks at it, searches it,
# changes it, travels in time and verifies it. Every step shows the command that it runs.
#   tools/main_job.sh [DATABASE]      default: build/demo, made anew each time
set -euo pipefail
cd "$(dirname "$0")/.."
glaive=${GLAIVE_BIN:-build/bin/glaive}
db=${1:-build/demo}
rm -rf "$db"

if [ -t 1 ]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi

step() {  # heading, arguments of the tool...
  local heading=$1 shown=glaive argument
  shift
  for argument in "$@"; do
    case $argument in *[!a-zA-Z0-9_./,:=-]*) shown+=" '$argument'" ;; *) shown+=" $argument" ;; esac
  done
  printf '\n%s%s%s\n%s$ %s%s\n' "$bold" "$heading" "$plain" "$dim" "$shown" "$plain"
  "$glaive" "$@"
}

step "Import 3,000 package descriptions of Debian 12; embed them as vectors of 256 numbers" \
  import "$db" packages data/debian-packages.jsonl --embed description --embedder hash-ngram --dim 256
step "The columns that came of it: types inferred from the JSON, nested ones included" schema "$db" packages
step "The first rows" scan "$db" packages --columns package,section,installed_size,maintainer.name,vector --limit 5

step "Search 1: which games are about chess? The text is embedded like the descriptions were" \
  search "$db" packages --text "chess game" --columns package,description -k 5
step "Search 2: what keeps passwords? By cosine distance this time" \
  search "$db" packages --text "password manager" --metric cosine --columns package,description -k 5
step "Search 3: what shows pictures? Words with other endings are found too" \
  search "$db" packages --text "images viewers" --metric cosine --columns package,description -k 5

step "Name this version, so that it is easy to find again" tag create "$db" packages as-imported 1
step "Append 25 more packages: version 2; their vectors are made in the same way" \
  add "$db" packages data/debian-packages-new.jsonl
step "Delete three rows: version 3 (the rows stay in the older versions)" delete "$db" packages --offsets 0,1,2
step "The history" versions "$db" packages
step "Now" count "$db" packages
step "Travel in time: as it was at version 1" count "$db" packages --version 1
step "The deleted rows are still there, under the tag" \
  scan "$db" packages --tag as-imported --columns package,version,section --limit 3
step "Read every byte and check every invariant" verify "$db" packages

cat <<END

${bold}What to try next${plain}
  $glaive scan $db packages --json --limit 1         every verb speaks JSON
  $glaive inspect $db packages                       files, pages, encodings, sizes
  $glaive restore $db packages as-imported           version 1 becomes the latest again
  $glaive export $db packages packages.parquet       or .csv, .jsonl, .arrow
  $glaive import $db mine FILE                       your own Parquet, CSV, JSON lines or Arrow file
  $glaive --help                                     all verbs
Any LanceDB client opens the same directory: lancedb.connect("$db").open_table("packages")
END
