#!/bin/sh
# q35.sh IMAGE [WORD...]: boots an image on QEMU's q35 (PCI Express, BIOS).
#
# Words, environment and exit status are those of microvm.sh; FIRMWARE as for pc.sh.
# Example: q35.sh hello.img trace=open,read
set -eu
. "$(dirname "$0")/common.sh"
read_arguments "$@"
run_qemu q35 ${FIRMWARE:+-bios "$FIRMWARE"}
