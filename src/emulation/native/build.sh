#!/bin/sh
# Builds the tools for both architectures into prebuilt/. Needs Debian's musl-tools and gcc-aarch64-linux-gnu; musl for
# arm64 is unpacked from its package into a temporary directory, not installed. `build.sh disk` builds one
# tool, `build.sh disk x64` one binary.
set -eu
cd "$(dirname "$0")"
flags='-std=gnu11 -O2 -fwrapv -static -fno-pie -no-pie -Wall -Wextra -Werror -ffunction-sections -fdata-sections -Wl,--gc-sections -Wl,--build-id=none -s'
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The old binary may be running: it is replaced, not written into.
place() {
  mkdir -p "prebuilt/linux-$2"
  mv -f "$scratch/built" "prebuilt/linux-$2/amux-$1"
}

build_x64() {
  # shellcheck disable=SC2086
  musl-gcc $flags -o "$scratch/built" common/*.c "$1"/*.c
  place "$1" x64
}

arm64_libc() {
  [ -d "$scratch/root" ] && return
  dpkg --print-foreign-architectures | grep -qx arm64 || { dpkg --add-architecture arm64 && apt-get update -qq; }
  (cd "$scratch" && apt-get download -qq musl-dev:arm64 musl:arm64 && for deb in ./*.deb; do dpkg-deb -x "$deb" root; done)
}

build_arm64() {
  arm64_libc
  musl="$scratch/root/usr"
  include=$(dirname "$(find "$musl/include" -name stdio.h | head -n 1)")
  lib=$(dirname "$(find "$musl/lib" -name libc.a | head -n 1)")
  gcc_lib=$(dirname "$(aarch64-linux-gnu-gcc -print-libgcc-file-name)")
  # shellcheck disable=SC2086
  aarch64-linux-gnu-gcc $flags -mno-outline-atomics -nostdinc -isystem "$include" -isystem "$gcc_lib/include" -nostartfiles -nodefaultlibs \
    -o "$scratch/built" "$lib/crt1.o" "$lib/crti.o" common/*.c "$1"/*.c -L"$lib" -Wl,--start-group -lc -lgcc -lgcc_eh -Wl,--end-group "$lib/crtn.o"
  place "$1" arm64
}

for tool in ${1:-disk net}; do
  for arch in ${2:-x64 arm64}; do "build_$arch" "$tool"; done
  # What both binaries were made from: a test compares it with the sources.
  if [ $# -lt 2 ]; then sha256sum common/*.[ch] "$tool"/*.[ch] > "prebuilt/amux-$tool.sha256"; fi
done
