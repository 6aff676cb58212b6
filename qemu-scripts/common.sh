# shellcheck shell=sh
# What the scripts of this folder share; they read it with `.`, by hand it does nothing.
#
# The contract with the guest: the first serial port is the console; port 0xe9 (isa-debugcon) takes one line at the
# end, `exited N`, `signaled N` or `panicked`; then the guest powers off.

# Prints the calling script's head comment.
usage() {
    sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p;}' "$0"
}

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# The first word is the image, the others are for the kernel command line; -h prints the usage.
read_arguments() {
    case ${1:-} in
    '')
        usage >&2
        exit 2
        ;;
    -h | --help)
        usage
        exit 0
        ;;
    esac
    IMAGE=$1
    shift
    APPEND=$*
}

# Whether the processor has virtualisation and /dev/kvm opens; one without the other proves nothing.
has_kvm() {
    grep -qwE 'vmx|svm' /proc/cpuinfo && (: <>/dev/kvm) 2>/dev/null
}

# The machine type with its options.
# acpi=off: setting its tables up takes the firmware 5 of 34 ms.
# rtc=on: under KVM the clock would be left out, and the guest would not know the time of day.
# auto-kernel-cmdline=off: QEMU's own words would become the last of the program's arguments.
machine_options() {
    case $1 in
    microvm) echo microvm,acpi=off,rtc=on,auto-kernel-cmdline=off ;;
    *) echo "$1" ;;
    esac
}

# run_qemu MACHINE [QEMU OPTION...]: boots $IMAGE on that machine and exits as the program in it did. With DRIVE set, the
# image is a disk, and DRIVE says of which kind.
run_qemu() {
    machine=$(machine_options "$1")
    shift
    qemu=${RUMPBAKE_QEMU:-qemu-system-x86_64}
    command -v "$qemu" >/dev/null || fail "$qemu is not installed; most distributions call its package qemu-system-x86"
    [ -f "$IMAGE" ] || fail "$IMAGE: there is no such image; make one with: rumpbake hw PROGRAM -o $IMAGE"
    accel=${ACCEL:-auto} cpu=max
    if [ "$accel" = auto ]; then
        if has_kvm; then accel=kvm; else accel=tcg; fi
    fi
    [ "$accel" != kvm ] || cpu=host
    status_file=$(mktemp) || fail "a temporary file cannot be made"
    trap 'rm -f "$status_file"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM

    # -nodefaults, -no-user-config: the machine is what stands here and nothing else.
    # -no-reboot: a reset, the last way to power off, ends QEMU.
    # isa-debug-exit: a guest may end QEMU at once, with status 2N+1.
    set -- -M "$machine" -accel "$accel" -cpu "${CPU:-$cpu}" -m "${MEMORY:-256M}" \
        -display none -monitor none -serial stdio -nodefaults -no-user-config -no-reboot \
        -device isa-debug-exit,iobase=0xf4,iosize=1 \
        -chardev "file,id=status,path=$status_file" -device isa-debugcon,iobase=0xe9,chardev=status "$@"
    if [ -n "${NETDEV:-}" ]; then
        # romfile=: without the firmware to boot from the network, which would be loaded and run.
        # force-legacy: QEMU's cards for microvm follow the draft of virtio unless told otherwise.
        case $machine in
        microvm*) set -- "$@" -global virtio-mmio.force-legacy=false -device "${NIC:-virtio-net-device},netdev=net0" ;;
        *) set -- "$@" -device "${NIC:-virtio-net-pci},netdev=net0,romfile=" ;;
        esac
        set -- "$@" -netdev "$NETDEV,id=net0"
        [ -z "${PCAP:-}" ] || set -- "$@" -object "filter-dump,id=dump0,netdev=net0,file=$PCAP"
    fi
    if [ -n "${DRIVE:-}" ]; then
        [ -z "$APPEND" ] || fail "a disk starts with what was baked in: no words reach its kernel command line"
        # QEMU takes a comma in a name doubled.
        set -- "$@" -drive "$DRIVE,file=$(printf '%s' "$IMAGE" | sed 's/,/,,/g')"
    else
        set -- "$@" -kernel "$IMAGE"
        [ -z "$APPEND" ] || set -- "$@" -append "$APPEND"
    fi
    if [ -n "${SHOW:-}" ]; then
        printf '%s' "$qemu" >&2
        printf " '%s'" "$@" >&2
        echo >&2
    fi
    qemu_status=0
    "$qemu" "$@" || qemu_status=$?
    exit_as_guest
}

# The same exit statuses as those of `rumpbake run`.
exit_as_guest() {
    word='' number=''
    read -r word number <"$status_file" || :
    case $word in
    exited) exit "$number" ;;
    signaled)
        echo "${0##*/}: the program was killed by signal $number" >&2
        exit $((128 + number))
        ;;
    panicked)
        echo "${0##*/}: the kernel panicked" >&2
        exit 125
        ;;
    *)
        echo "${0##*/}: QEMU ended (status $qemu_status) before the program did" >&2
        exit 124
        ;;
    esac
}
