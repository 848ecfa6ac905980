#!/bin/sh
# Runs the ring buffers' tests under ThreadSanitizer: the real ones must be silent, the one with a race on purpose must
# be reported. A sanitizer that overlooks that race proves nothing about the others.
set -eu
cd "$(dirname "$0")/.."

# Without the longer history ThreadSanitizer forgets accesses in hot loops before it can compare them.
export TSAN_OPTIONS="history_size=7 halt_on_error=0 exitcode=66"
run() { swift test --sanitize thread --scratch-path .build-tsan --filter "$1" 2>&1; }

output=$(mktemp)
trap 'rm -f "$output"' EXIT

if ! run RingBuffersTests > "$output" || grep -q "WARNING: ThreadSanitizer" "$output"; then
    cat "$output"
    echo "FAILED: ThreadSanitizer found fault with the ring buffers" >&2
    exit 1
fi
echo "ring buffers: no data race reported"

DRIFTGATE_SHOW_RACE=1 run aPlainPayloadRaces > "$output" || true
if ! grep -q "WARNING: ThreadSanitizer: data race" "$output"; then
    cat "$output"
    echo "FAILED: ThreadSanitizer did not see the race that is there on purpose" >&2
    exit 1
fi
echo "window with a plain payload: data race reported, as it must be"
