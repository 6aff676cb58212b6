#!/bin/sh
# gdb.sh IMAGE [WORD...]: boots an image that waits for a debugger before its first instruction.
#
# PORT (1234) is the TCP port, on the local host only; MACHINE (microvm, pc, q35) the machine. The rest is as for microvm.sh.
# The kernel's functions have names in gdb if it reads the file that `rumpbake hw --symbols FILE` wrote. Breakpoints set before the
# page tables are up must be hardware breakpoints: hbreak.
# Example: gdb.sh hello.img & gdb -ex 'target remote :1234' hello.sym
set -eu
. "$(dirname "$0")/common.sh"
read_arguments "$@"
port=${PORT:-1234}
echo "${0##*/}: waiting for: gdb -ex 'target remote :$port'" >&2
run_qemu "${MACHINE:-microvm}" -S -gdb "tcp:127.0.0.1:$port"
