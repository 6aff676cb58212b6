#!/bin/sh
# pc.sh IMAGE [WORD...]: boots an image on QEMU's pc (i440FX, PCI, BIOS).
#
# Words, environment and exit status are those of microvm.sh; FIRMWARE=qboot.rom starts faster than the BIOS, but
# leaves PCI devices without addresses.
# Example: MEMORY=64M pc.sh hello.img -- arg1 arg2
set -eu
. "$(dirname "$0")/common.sh"
read_arguments "$@"
run_qemu pc ${FIRMWARE:+-bios "$FIRMWARE"}
