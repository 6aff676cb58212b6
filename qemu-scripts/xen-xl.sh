#!/bin/sh
# Boots Xen with a small Linux as dom0 under QEMU, and runs a job there that makes guests with xl.
#
#   xen-xl.sh [JOB [FILE...]]
#
# JOB is a shell script; in dom0 it and the files are in /job, and it runs there. The exit status is the job's; 124 if dom0 ended before it.
# Without a job there is a shell. Guests' consoles are kept in /var/log/xen/console/guest-NAME.log, a bridge br0 is 10.0.0.1/24.
# Environment: MEMORY (MiB of the machine, 512), DOM0_MEMORY (MiB of them for dom0, 256), XEN_CACHE (where the set-up is kept).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
. "$here/common.sh"
case ${1:-} in
-h | --help)
    usage
    exit 0
    ;;
esac
qemu=${RUMPBAKE_QEMU:-qemu-system-x86_64}
command -v "$qemu" >/dev/null || fail "$qemu is not installed; most distributions call its package qemu-system-x86"
setup=$(sh "$here/xen/setup.sh")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

mkdir "$work/job"
if [ $# -gt 0 ]; then
    for file; do
        [ -f "$file" ] || fail "$file: there is no such file"
    done
    cp "$1" "$work/job/job"
    shift
    [ $# -eq 0 ] || cp "$@" "$work/job/"
fi
# The kernel unpacks one archive after the other.
(cd "$work" && find job | sort | "$setup/busybox" cpio -o -H newc 2>/dev/null) >"$work/files"
cat "$setup/initramfs" "$work/files" >"$work/initramfs"

# The processor without SMAP and XSAVE: this QEMU's emulation of them kills dom0 or its programs.
# norandmaps: QEMU keeps what it has translated by its address, so a program that moved would be translated anew each time it is started, for as long as it runs.
# nofsgsbase: otherwise Linux reads a register at each switch of processes that a paravirtualised kernel cannot read, and each such reading traps.
set -- -accel tcg -cpu max,-smap,-xsave -m "${MEMORY:-512}" -smp 1 -nodefaults -display none -serial stdio -no-reboot \
    -kernel "$setup/xen" \
    -append "console=com1 com1=115200 dom0_mem=${DOM0_MEMORY:-256}M,max:${DOM0_MEMORY:-256}M loglvl=warning guest_loglvl=warning" \
    -initrd "$setup/vmlinux console=hvc0 quiet panic=-1 norandmaps nofsgsbase,$work/initramfs"
if [ ! -f "$work/job/job" ]; then
    "$qemu" "$@"
    exit
fi
# What Xen and dom0 say before and after the job is shown only if dom0 ended before it.
"$qemu" "$@" </dev/null | tee "$work/log" | awk '
    { gsub(/\r/, "") }
    /^dom0: the job begins$/ { begun = 1; next }
    /^dom0: the job ended with [0-9]+$/ { status = $NF; ended = 1; begun = 0 }
    begun { print; fflush() }
    END { exit ended ? status : 124 }' && exit || status=$?
[ $status -ne 124 ] || cat "$work/log" >&2
exit $status
