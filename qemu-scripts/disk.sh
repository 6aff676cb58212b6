#!/bin/sh
# disk.sh IMAGE: boots what `rumpbake hw --format iso` or `--format raw` made, through its own boot loader.
#
# MACHINE (q35, pc) is the machine; MEDIA (cdrom, disk) what the file is used as, either way works; FIRMWARE=OVMF.fd starts
# with UEFI, which on Debian is FIRMWARE=/usr/share/ovmf/OVMF.fd, instead of BIOS. What is written to the disk is forgotten.
# Environment and exit status are those of microvm.sh. Arguments are baked in: none can be given here.
# Example: MEDIA=disk MACHINE=pc disk.sh hello.raw
set -eu
. "$(dirname "$0")/common.sh"
read_arguments "$@"
case ${MEDIA:-cdrom} in
cdrom) DRIVE=if=ide,media=cdrom,readonly=on,format=raw ;;
disk) DRIVE=if=ide,media=disk,snapshot=on,format=raw ;;
*) fail "MEDIA must be cdrom or disk" ;;
esac
run_qemu "${MACHINE:-q35}" ${FIRMWARE:+-bios "$FIRMWARE"}
