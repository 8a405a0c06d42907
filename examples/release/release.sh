#!/usr/bin/env bash
# A release in one script, with a test of each group by a tester before any client comes there.
#
#   release.sh APP VERSION TEST…      release.sh shop 2.0 ./smoke-test.sh https://shop.example.com/
#
# The hooks "deploy" and "restore" of halftone.yaml update the servers and bring the version before back.
# Exit code: 0 done, 3 rolled back, 1 a person is needed: stderr says for what, and with which command.
set -euo pipefail
app=$1
version=$2
test=("${@:3}")
plan=${HALFTONE_PLAN:-$(dirname "$0")/plan.yaml}

has_status() { halftone release status "$app" --json | grep -q "^  \"status\": \"$1\""; }

# The first group is drained, updated and checked; testers reach it.
halftone release start "$app" --version "$version" --plan "$plan" --update deploy --restore restore \
  --until testing --wait 15m

# Each group in turn: tested, then everybody, then the next one up to its testers, or the end.
until has_status done; do
  if ! "${test[@]}"; then
    halftone release rollback "$app" --reason "its test failed: ${test[*]}" --wait 15m
    exit 3
  fi
  halftone release continue "$app" --until testing --wait 2h
done
