#!/usr/bin/env bash
# Runs the whole chain under faults of every kind, and prints what became of it: see tests/torture/torture.py.
#
#   tests/torture.sh [--seed N] [--kills N] [--minutes M] [--sources N] [--short] [--only REGEX] [--list]
set -euo pipefail
exec /usr/bin/python3 "$(dirname "${BASH_SOURCE[0]}")/torture/torture.py" "$@"
