# Runs the parts of a check one after the other, with their times, and adds up what passed. Sourced by lint and test.
# shellcheck shell=bash

parts_passed=0
parts_failed=0
parts_skipped=0
parts_lines=()

# part NAME COMMAND...: one check that passes or fails as a whole; its output is shown only if it fails.
part() {
  local name=$1 began=$EPOCHREALTIME output
  shift
  if output=$("$@" 2>&1); then
    parts_passed=$((parts_passed + 1))
    part_is_over "$name" "$began" passed
  else
    parts_failed=$((parts_failed + 1))
    echo "$output"
    part_is_over "$name" "$began" FAILED
  fi
}

# pytest_part NAME PYTEST-ARGUMENT...: a run of pytest, shown as it goes; every test counts. A run that ends badly
# without a failed test (a crash, no test found) counts as one failure.
pytest_part() {
  local name=$1 began=$EPOCHREALTIME status=0 report passed=0 failed=0 skipped=0
  shift
  report=.cache/test/${name// /-}.xml
  mkdir -p .cache/test
  rm -f "$report"
  echo "--- $name ---"
  .venv/bin/python -m pytest --junit-xml="$report" "$@" || status=$?
  [ ! -e "$report" ] || read -r passed failed skipped < <(count_tests "$report")
  if [ "$status" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
  parts_passed=$((parts_passed + passed))
  parts_failed=$((parts_failed + failed))
  parts_skipped=$((parts_skipped + skipped))
  part_is_over "$name" "$began" "$passed passed, $failed failed, $skipped skipped"
}

count_tests() { # REPORT: prints how many passed, failed and were skipped
  .venv/bin/python - "$1" <<'PYTHON'
import sys
from xml.etree import ElementTree

suites = ElementTree.parse(sys.argv[1]).getroot().iter("testsuite")
total, failed, skipped = (
    sum(counts) for counts in zip(
        *((int(s.get("tests")), int(s.get("failures")) + int(s.get("errors")), int(s.get("skipped"))) for s in suites),
        strict=True,
    )
)
print(max(total - failed - skipped, 0), failed, skipped)
PYTHON
}

part_is_over() { # NAME BEGAN RESULT
  local line
  line=$(LC_ALL=C awk -v name="$1" -v began="$2" -v now="$EPOCHREALTIME" -v result="$3" \
    'BEGIN { printf "%-28s %6.1f s  %s", name, now - began, result }')
  parts_lines+=("$line")
  echo "$line"
}

# parts_summary: the closing lines; its status is that of the whole.
parts_summary() {
  if [ "${1:-}" = --times ]; then printf '%s\n' "" "${parts_lines[@]}" ""; fi
  echo "$parts_passed passed, $parts_failed failed, $parts_skipped skipped"
  [ "$parts_failed" = 0 ]
}

# The checks that read the code without running it.
static_parts() {
  local bin=.venv/bin shell_scripts python_scripts
  mapfile -t shell_scripts < <(grep -lE '^#!.*\bbash|^# shellcheck shell=bash' scripts/* .ci/run)
  mapfile -t python_scripts < <(grep -lE '^#!.*\bpython' scripts/* || true)
  part "lint (ruff)" "$bin/ruff" check . "${python_scripts[@]}"
  part "format (ruff)" "$bin/ruff" format --check . "${python_scripts[@]}"
  part "shell (shellcheck)" "$bin/shellcheck" "${shell_scripts[@]}"
  part "YAML (yamllint)" "$bin/yamllint" --strict .
  part "spelling (codespell)" "$bin/codespell"
  part "types (mypy)" "$bin/mypy"
  part "layers (import-linter)" "$bin/lint-imports" --no-cache
}
