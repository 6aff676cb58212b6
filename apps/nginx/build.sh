#!/bin/sh
# Builds nginx for NetBSD with its own configure script, unmodified, from the sources in the crate nginx-src.
#
#   build.sh OUTPUT-FOLDER
#
# Writes OUTPUT-FOLDER/nginx.elf; what lies between is in OUTPUT-FOLDER/build.
# Environment: RUMPBAKE (the command rumpbake).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -eq 1 ] || {
    sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p;}' "$0" >&2
    exit 2
}
mkdir -p "$1"
out=$(cd "$1" && pwd)

manifest=$(cargo metadata --locked --manifest-path "$here/Cargo.toml"  --format-version 1 |
    python3 -c 'import json, sys; print(next(p["manifest_path"] for p in json.load(sys.stdin)["packages"] if p["name"] == "nginx-src"))')
rm -rf "$out/build"
cp -R "$(dirname "$manifest")/nginx" "$out/build"
cd "$out/build"

# The script looks for what the system at hand has; --crossbuild tells it which system that is.
sh auto/configure --crossbuild=NetBSD:11.0:amd64 --with-cc="$here/cc.sh" --with-cc-opt=-O2 \
    --prefix=/nginx --conf-path=/etc/nginx/nginx.conf --http-log-path=/dev/null --error-log-path=stderr --pid-path=/tmp/nginx.pid \
    --lock-path=/tmp/nginx.lock --http-client-body-temp-path=/tmp/client_body --http-proxy-temp-path=/tmp/proxy \
    --without-http_rewrite_module --without-http_gzip_module --without-pcre \
    --without-http_fastcgi_module --without-http_uwsgi_module --without-http_scgi_module >"$out/configure.log" ||
    {
        tail -n 30 objs/autoconf.err >&2
        exit 1
    }
make -f objs/Makefile -j "$(getconf _NPROCESSORS_ONLN)" build >"$out/make.log" 2>&1 || {
    tail -n 30 "$out/make.log" >&2
    exit 1
}
mv objs/nginx "$out/nginx.elf"
