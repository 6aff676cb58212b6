#!/bin/sh
# Puts Xen and a small Linux dom0 with xl together from Debian's packages, and prints the folder that they are in:
# xen (the hypervisor), vmlinux and initramfs (of dom0), busybox. Nothing is installed.
#
#   setup.sh
#
# What was made once is kept under XEN_CACHE (the checkout's .tools/xen): the packages, and the result by the checksum of what it is made of.
set -eu
# The order of file names.
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
cache=${XEN_CACHE:-$here/../../.tools/xen}

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

for tool in apt-get dpkg-deb python3 flock; do
    command -v "$tool" >/dev/null || fail "$tool is not there: Xen's set-up is put together from Debian's packages"
done

packages="xen-hypervisor-4.17-amd64 xen-utils-4.17 xenstore-utils libxenmisc4.17 libxencall1 libxenevtchn1
    libxenforeignmemory1 libxengnttab1 libxenstore4 libxentoollog1 libxentoolcore1 libxendevicemodel1 libxenhypfs1
    libyajl2 libuuid1 liblzma5 libzstd1 zlib1g libc6 libgcc-s1 busybox-static"
modules="xen-privcmd xenfs xen-evtchn xen-gntdev xen-gntalloc llc stp bridge xen-netback xen-blkback loop xen-netfront xen-blkfront"

mkdir -p "$cache/packages"
cache=$(cd "$cache" && pwd)
# One at a time: who comes second finds what the first has made.
exec 9>"$cache/lock"
flock 9
work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work"' EXIT

if [ ! -f "$cache/packages/complete" ]; then
    # The cloud kernel, which is smaller, cannot be dom0.
    kernel=$(apt-cache depends linux-image-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[^ ]*\).*/\1/p' | head -n 1)
    [ -n "$kernel" ] || fail "apt knows no linux-image-amd64; run apt-get update, or use Debian 12"
    echo "${0##*/}: fetching Xen, its tools and a Linux kernel (80 MB) into $cache" >&2
    rm -f "$cache"/packages/*.deb
    (cd "$cache/packages" && apt-get -qq download $packages "$kernel" 2>"$work/errors") ||
        fail "apt-get download failed: $(cat "$work/errors")"
    touch "$cache/packages/complete"
fi

sum=$(cat "$here/setup.sh" "$here/init" "$here/hotplug" "$cache"/packages/*.deb | sha256sum | cut -c 1-16)
made=$cache/$sum
if [ -f "$made/initramfs" ]; then
    echo "$made"
    exit 0
fi

for package in "$cache"/packages/*.deb; do
    dpkg-deb -x "$package" "$work/debian"
done
cd "$work/debian"
busybox=$work/debian/bin/busybox
out=$work/out
root=$work/root
mkdir "$out" "$root"

gzip -dc boot/xen-*.gz >"$out/xen"
# The kernel proper, which saves dom0 unpacking it: an XZ stream inside of the file, with something else behind it.
python3 - boot/vmlinuz-* "$out/vmlinux" <<'PYTHON' || fail "the kernel package holds no kernel that can be unpacked"
import lzma, sys
image = open(sys.argv[1], "rb").read()
start = image.index(b"\xfd7zXZ\0")
kernel = lzma.LZMADecompressor().decompress(image[start:])
assert kernel.startswith(b"\x7fELF")
open(sys.argv[2], "wb").write(kernel)
PYTHON

cd "$root"
mkdir -p bin dev etc/xen/scripts job lib/x86_64-linux-gnu lib64 mnt modules proc root run sys tmp \
    usr/bin usr/lib/xen-4.17/bin var/lib/xen var/lib/xenstored var/log/xen/console
from=$work/debian
cp "$busybox" bin/
cp "$busybox" "$out/"
"$busybox" --list | while read -r applet; do
    [ -e "bin/$applet" ] || ln -s busybox "bin/$applet"
done
for tool in xl xenstored xenconsoled xenconsole xen-init-dom0; do
    cp "$from/usr/lib/xen-4.17/bin/$tool" usr/lib/xen-4.17/bin/
done
cp -P "$from"/usr/bin/xenstore* usr/bin/
for folder in lib usr/lib; do
    for library in "$from/$folder"/x86_64-linux-gnu/lib*.so.*; do
        [ ! -e "$library" ] || cp -P "$library" lib/x86_64-linux-gnu/
    done
done
cp -L "$from/lib64/ld-linux-x86-64.so.2" lib64/
for module in $modules; do
    file=$(find "$from/lib/modules" -name "$module.ko" | head -n 1)
    [ -n "$file" ] || fail "the kernel package has no module $module"
    cp "$file" modules/
done
cp "$here/init" init
cp "$here/hotplug" etc/xen/scripts/hotplug
chmod +x init etc/xen/scripts/hotplug
: >etc/xen/xl.conf
echo 'root:x:0:0:root:/root:/bin/sh' >etc/passwd
echo 'root:x:0:' >etc/group
find . | sort | "$busybox" cpio -o -H newc >"$out/initramfs" 2>/dev/null

rm -rf "$made"
mv "$out" "$made"
echo "$made"
