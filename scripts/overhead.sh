#!/usr/bin/env bash
# What measuring costs the measured: time added to a command, memory, processor time a sample, size of the binary.
#
#     scripts/overhead.sh            builds the release binary and measures it
#     scripts/overhead.sh BINARY     measures this one
#
# Exit status: 0 within the bounds, 1 beyond one of them, 2 it could not be measured. Wants Linux and bash 5.
#
# The figures of CodeCarbon beside ours were measured once with its version 3.3.2.
set -euo pipefail
export LC_ALL=C
root=$(cd "$(dirname "$0")/.." && pwd)

runs=21

give_up() { echo "overhead.sh: $*" >&2; exit 2; }

[[ -n ${EPOCHREALTIME:-} && -r /proc/self/status ]] || give_up "wants Linux and bash 5"

if [[ $# -gt 0 ]]; then
    binary=$(readlink -f "$1")
else
    (cd "$root" && cargo build --release --quiet -p emissions-cli) || give_up "the build failed"
    binary=$(cd "$root" && readlink -f "${CARGO_TARGET_DIR:-target}/release/emissions")
fi
[[ -x $binary ]] || give_up "no binary at $binary"

# An empty folder for working directory, store and configuration: nobody's settings, nobody's runs.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export XDG_CONFIG_HOME=$work XDG_DATA_HOME=$work

wrap=("$binary" run -q --store "$work/store")

median() { sort -n | awk '{ value[NR] = $1 } END { print value[int((NR + 1) / 2)] }'; }

# Wall time of a command in microseconds, by the shell's own clock: no process is started to read it.
wall_us() {
    local start=${EPOCHREALTIME/./}
    "$@"
    echo $(( ${EPOCHREALTIME/./} - start ))
}

# Processor time of a command and its descendants in seconds: the kernel's account when they have ended, which the shell
# gives in milliseconds. The ticks of /proc/PID/stat are ten times as coarse.
cpu_s() {
    local TIMEFORMAT='%3U %3S'
    { time "$@" 2> "$work/stderr"; } 2>&1 | awk '{ print $1 + $2 }'
}

# The most memory that a process ever had resident, in kB, by asking as long as it lives.
peak_kb() {
    local peak=0 now
    "$@" &
    while now=$(awk '/^VmHWM:/ { print $2 }' "/proc/$!/status" 2> /dev/null) && [[ -n $now ]]; do
        peak=$now
        sleep 0.05
    done
    wait $! && echo "$peak"
}

# The binary of `true`, not the shell's word for it: both ways start a process.
true=$(type -P true)

"${wrap[@]}" -- "$true" || give_up "\`emissions run -- true\` ended with status $?"

# The two take turns, so that whatever else the machine does meets both. The pause makes each run a first one: the kernel
# takes some 10 ms to switch its performance counters on, and switches them off a second after their last use.
for (( run = 0; run < runs; run++ )); do
    sleep 1.2
    wall_us "$true" >> alone
    wall_us "${wrap[@]}" -- "$true" >> wrapped
done
alone=$(median < alone)
wrapped=$(median < wrapped)

memory=$(peak_kb "${wrap[@]}" -- sleep 2) || give_up "\`emissions run -- sleep 2\` failed"

# A run that takes 200 samples against one that takes hardly any. Start, end and the command's own start cancel out.
sampled=(--sample-every 50ms --summary summary.json)
for (( run = 0; run < 5; run++ )); do
    cpu_s "${wrap[@]}" "${sampled[@]}" -- sleep 0 >> cpu_short
done
# One sample reads all devices: the rounds are those of the device read most often.
samples() { grep -o '"samples": *[0-9]*' summary.json | awk -F: '$2 + 0 > most { most = $2 + 0 } END { print most + 0 }'; }
few=$(samples)
cpu_long=$(cpu_s "${wrap[@]}" "${sampled[@]}" -- sleep 10)
many=$(samples)
(( many > few )) || give_up "the summary tells of $many samples in 10 s"

size=$(wc -c < "$binary")

awk -v alone="$alone" -v wrapped="$wrapped" -v memory="$memory" -v size="$size" -v runs="$runs" \
    -v cpu_short="$(median < cpu_short)" -v cpu_long="$cpu_long" -v samples=$(( many - few )) '
function row(what, unit, measured, bound, codecarbon) {
    beyond += measured > bound
    printf "%-26s %9.3f %-2s %6d %-2s %8.3f   %s\n", what, measured, unit, bound, unit, measured / bound, codecarbon
}
BEGIN {
    printf "%-26s %12s %9s %8s   %s\n", "", "measured", "bound", "ratio", "CodeCarbon 3.3.2"
    row("time added to `true`", "ms", (wrapped - alone) / 1000, 20, "2.4 s (and 1.5 CPU-s to start)")
    row("peak resident memory", "MB", memory * 1024 / 1e6, 15, "103 MB")
    row("processor time a sample", "ms", (cpu_long - cpu_short) * 1000 / samples, 1, "")
    row("size of the binary", "MB", size / 1e6, 10, "")
    printf "\n`true` alone %.3f ms, wrapped %.3f ms: medians of %d. Processor time: %d samples.\n",
        alone / 1000, wrapped / 1000, runs, samples
    exit beyond > 0
}'
