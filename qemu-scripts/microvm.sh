#!/bin/sh
# microvm.sh IMAGE [WORD...]: boots an image on QEMU's microvm, the machine that starts fastest.
#
# The words go on the kernel command line: hostname=oven env.NAME=VALUE trace -- argument...
# (a word with blanks takes quotes of its own: "'two words'").
# Environment: MEMORY (256M), ACCEL (tcg, kvm), CPU, RUMPBAKE_QEMU; SHOW=1 prints QEMU's command line.
# Exit status: the program's; 128+N for signal N; 125 for a kernel panic; 124 if QEMU ended first.
# Example: microvm.sh hello.img env.GREETING=hi -- arg1 arg2
set -eu
. "$(dirname "$0")/common.sh"
read_arguments "$@"
run_qemu microvm
