# Runs in dom0: makes guests of each side in turn, and prints `sample FIGURE SIDE VALUE` for each measurement, times in ms and memory in KiB.
# bench.sh, which the benchmark writes, says what there is to do: ROUNDS, SIDES, and for each side memory_SIDE (MiB) and lines_SIDE (of xl's configuration).
. ./bench.sh
logs=/var/log/xen/console

fail() {
    echo "failed: $*"
    xl list
    exit 1
}

# configure SIDE MIB
configure() {
    eval "lines=\$lines_$1"
    printf 'name="%s"\ntype="pv"\nmemory=%s\nvcpus=1\non_poweroff="destroy"\non_reboot="destroy"\non_crash="destroy"\n%s\n' "$1" "$2" "$lines" >"/tmp/$1.cfg"
    rm -f "$logs/guest-$1.log"
}

# gone SIDE: waits for the guest's end, and until nobody cleans up after it any more: what comes next is not to share the processor with that.
gone() {
    tries=0
    while xl domid "$1" >/dev/null 2>&1 || pidof xl >/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 600 ] || fail "$1 does not end: $(tail -n 20 "$logs/guest-$1.log")"
        usleep 50000
    done
    usleep 300000
}

# measure SIDE: one guest made and run at once, one made paused and then let run.
measure() {
    eval "memory=\$memory_$1"
    configure "$1" "$memory"
    /job/watch "$logs/guest-$1.log" hello create xl create -q "/tmp/$1.cfg" >/tmp/watched || fail "xl create $1"
    sed -n "s/^line /sample create.first_line $1 /p" /tmp/watched
    gone "$1"
    configure "$1" "$memory"
    xl create -q -p "/tmp/$1.cfg" || fail "xl create -p $1"
    /job/watch "$logs/guest-$1.log" hello unpause "$(xl domid "$1")" >/tmp/watched || fail "$1 does not run"
    sed -n "s/^line /sample create.guest $1 /p" /tmp/watched
    gone "$1"
}

# works SIDE MIB: whether the guest comes to its line.
works() {
    configure "$1" "$2"
    xl create -q "/tmp/$1.cfg" >/dev/null 2>&1 || return 1
    tries=0
    until grep -q hello "$logs/guest-$1.log" 2>/dev/null || ! xl domid "$1" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || break
        usleep 300000
    done
    xl destroy "$1" >/dev/null 2>&1
    gone "$1"
    grep -q hello "$logs/guest-$1.log"
}

# The first round warms caches.
for side in $SIDES; do measure "$side" >/dev/null; done
round=0
while [ $round -lt "$ROUNDS" ]; do
    for side in $SIDES; do measure "$side"; done
    round=$((round + 1))
done

for side in $SIDES; do
    # Too little, and enough.
    little=0
    eval "enough=\$memory_$side"
    while [ $((little + 1)) -lt "$enough" ]; do
        middle=$(((little + enough) / 2))
        if works "$side" $middle; then enough=$middle; else little=$middle; fi
    done
    echo "sample memory.least $side $((enough * 1024))"
done
