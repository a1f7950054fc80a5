#!/bin/sh
# Makes a folder with the gateway of these sources and all that it needs, at the locked versions, and
# nothing that installs or compiles: install.sh PREFIX
set -eu
prefix=$1
here=$(dirname "$0")
builder=$(mktemp -d)

python3 -m venv "$builder"
pip() {
  "$builder/bin/python" -m pip --quiet --disable-pip-version-check "$@"
}
pip install --only-binary :all: --require-hashes --requirement "$here/build.lock"
pip wheel --no-build-isolation --no-deps --wheel-dir "$builder/dist" "$here/.."

python3 -m venv --without-pip "$prefix"
install() {
  pip --python "$prefix/bin/python" install --no-compile --no-deps --only-binary :all: "$@"
}
install --require-hashes --requirement "$here/requirements.lock"
install "$builder"/dist/*.whl
# Without times in them, so that the same sources give the same files, and unchecked: they are all
# that is read at a start.
"$prefix/bin/python" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$prefix/lib"
rm -r "$builder"
