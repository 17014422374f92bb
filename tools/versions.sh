# Pinned versions of what tools/setup.sh installs into the build tree.
PYARROW_VERSION=26.0.1
# The oracles of the interop tests: the real LanceDB and Lance.
PEERS_PYTHON="lancedb==0.40.0 pylance==14.0.2 pyarrow==26.0.1 numpy==2.4.6"
PEERS_NPM="@lancedb/lancedb@0.39.0 apache-arrow@18.1.0"
