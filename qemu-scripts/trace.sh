#!/bin/sh
# trace.sh IMAGE [WORD...]: boots an image with its system calls traced on the console, and what the processor does in a file.
#
# LOG (trace.log) gets QEMU's log; ITEMS says of what (int,cpu_reset,guest_errors: interrupts, exceptions, resets;
# `qemu-system-x86_64 -d help` lists all). MACHINE as for gdb.sh, the rest as for microvm.sh. Emulation only.
# Example: LOG=boot.log trace.sh hello.img -- arg1
set -eu
. "$(dirname "$0")/common.sh"
read_arguments "$@"
APPEND="trace $APPEND"
ACCEL=tcg
run_qemu "${MACHINE:-microvm}" -d "${ITEMS:-int,cpu_reset,guest_errors}" -D "${LOG:-trace.log}"
