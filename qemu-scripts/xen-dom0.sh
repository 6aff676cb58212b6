#!/bin/sh
# xen-dom0.sh IMAGE [WORD...]: boots an image that `rumpbake xen` made as the first guest (dom0) of Xen, on q35 or pc.
#
# WORDs go on the guest's kernel command line. The exit status is the program's, 128 plus a signal's number, 125 for a panic, 124 for
# anything else. Environment: MEMORY (MiB of the guest, 256), MACHINE (q35, pc), XEN_WORDS (more words for Xen: loglvl=all shows what it
# says), RUMPBAKE_XEN (the hypervisor, not compressed; .tools/xen/hypervisor), RUMPBAKE_QEMU.
# Example: MEMORY=64 xen-dom0.sh hello-xen.img trace=open,read
set -eu
. "$(dirname "$0")/common.sh"
read_arguments "$@"
qemu=${RUMPBAKE_QEMU:-qemu-system-x86_64}
xen=${RUMPBAKE_XEN:-$(dirname "$0")/../.tools/xen/hypervisor}
memory=${MEMORY:-256}
[ -f "$xen" ] || fail "$xen: there is no hypervisor; cargo xtask setup fetches it"
[ -f "$IMAGE" ] || fail "$IMAGE: there is no such image; make one with: rumpbake xen PROGRAM -o $IMAGE"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# QEMU ends the module's name at the first space; a comma would begin the next module.
cp "$IMAGE" "$folder/image"
words=$(printf '%s' "$APPEND" | sed 's/,/,,/g')
: >"$folder/status"
# Without SMAP and XSAVE, which emulation gets wrong under Xen (QEMU 7.2).
"$qemu" -M "${MACHINE:-q35}" -accel tcg -cpu max,-smap,-xsave -m $((memory + 128)) \
    -display none -monitor none -serial stdio -nodefaults -no-user-config -no-reboot \
    -chardev "file,id=status,path=$folder/status" -device isa-debugcon,iobase=0xe9,chardev=status \
    -kernel "$xen" \
    -append "console=com1 com1=115200,8n1 loglvl=none guest_loglvl=none serial_tx_buffer=1m reboot=triple dom0=pv dom0_mem=${memory}M ${XEN_WORDS:-}" \
    -initrd "$folder/image $words" || fail "QEMU failed"
ending=$(grep -v '^booted$' "$folder/status" | head -n 1)
case $ending in
'exited '*) exit "${ending#exited }" ;;
'signaled '*) exit $((128 + ${ending#signaled })) ;;
panicked) exit 125 ;;
*) exit 124 ;;
esac
