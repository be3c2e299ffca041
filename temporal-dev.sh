#!/usr/bin/env bash
# Farewell's development environment. This only builds the program that does
# the work, tools/devenv, and runs it; `./temporal-dev.sh help` explains.
set -eu

cd "$(dirname "$0")"
if ! command -v go >/dev/null; then
  echo "error: temporal-dev.sh needs Go 1.26 or newer on PATH, see https://go.dev/doc/install" >&2
  exit 1
fi

# A go.work of somebody else's above this folder would hide our modules.
export GOWORK=off

if [ ! -x .dev/bin/devenv ]; then
  echo "building the development environment's own program, once (about 30 seconds on 2 cores)"
  mkdir -p .dev/bin
fi
go build -C tools/devenv -buildvcs=false -o ../../.dev/bin/devenv .
exec .dev/bin/devenv "$@"
