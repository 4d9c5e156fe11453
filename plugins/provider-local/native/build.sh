#!/bin/sh
# Builds amux-box for both architectures into prebuilt/. Needs Debian's musl-tools and gcc-aarch64-linux-gnu; musl for
# arm64 is unpacked from its package into a temporary directory, not installed. `build.sh x64` builds one of them.
set -eu
cd "$(dirname "$0")"
flags='-std=c11 -Os -static -fno-pie -no-pie -Wall -Wextra -Werror -ffunction-sections -fdata-sections -Wl,--gc-sections -Wl,--build-id=none -s'
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p prebuilt
# Shared with amux's own tools.
common=../../../src/emulation/native/common
sources="src/*.c $common/text.c"

# The old binary may be running: it is replaced, not written into.
place() {
  mv -f "$scratch/built" "prebuilt/amux-box-linux-$1"
}

build_x64() {
  # shellcheck disable=SC2086
  musl-gcc $flags -I$common -o "$scratch/built" $sources
  place x64
}

build_arm64() {
  dpkg --print-foreign-architectures | grep -qx arm64 || { dpkg --add-architecture arm64 && apt-get update -qq; }
  (cd "$scratch" && apt-get download -qq musl-dev:arm64 musl:arm64 && for deb in ./*.deb; do dpkg-deb -x "$deb" root; done)
  musl="$scratch/root/usr"
  include=$(dirname "$(find "$musl/include" -name stdio.h | head -n 1)")
  lib=$(dirname "$(find "$musl/lib" -name libc.a | head -n 1)")
  gcc_lib=$(dirname "$(aarch64-linux-gnu-gcc -print-libgcc-file-name)")
  # shellcheck disable=SC2086
  aarch64-linux-gnu-gcc $flags -mno-outline-atomics -nostdinc -isystem "$include" -isystem "$gcc_lib/include" -nostartfiles -nodefaultlibs \
    -o "$scratch/built" "$lib/crt1.o" "$lib/crti.o" -I$common $sources -L"$lib" -Wl,--start-group -lc -lgcc -lgcc_eh -Wl,--end-group "$lib/crtn.o"
  place arm64
}

case "${1:-all}" in
  all) build_x64 && build_arm64 ;;
  *) "build_$1" ;;
esac
# What the binaries were made from: a test compares it with the sources.
if [ "${1:-all}" = all ]; then (cd src && sha256sum ./*.c ./*.h ../$common/text.[ch]) > prebuilt/sources.sha256; fi
