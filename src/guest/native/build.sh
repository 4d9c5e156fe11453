#!/bin/sh
# Builds prebuilt/amux-init-linux-{x64,arm64}: static, stripped, with Debian's musl. As root it installs what it needs.
set -eu
cd "$(dirname "$0")"
need() { command -v "$1" >/dev/null 2>&1; }
if ! need musl-gcc || ! need aarch64-linux-gnu-gcc; then
  [ "$(id -u)" = 0 ] || { echo 'build.sh: needs musl-tools and gcc-aarch64-linux-gnu' >&2; exit 4; }
  apt-get update -qq
  apt-get install -qq --no-install-recommends -y musl-tools gcc gcc-aarch64-linux-gnu libc6-dev-arm64-cross
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=gnu11 -Os -Wall -Wextra -Wconversion -Wno-sign-conversion -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables"
flags="$flags -fno-stack-protector -U_FORTIFY_SOURCE -static -Wl,--gc-sections -Wl,--build-id=none -s"
mkdir -p prebuilt

# The package of the other architecture is unpacked, never installed.
arm64_musl() {
  dpkg --print-foreign-architectures | grep -qx arm64 || { dpkg --add-architecture arm64; apt-get update -qq; }
  (cd "$work" && apt-get download -qq musl-dev:arm64 && dpkg -x musl-dev_*_arm64.deb musl)
}

musl-gcc $flags -o prebuilt/amux-init-linux-x64 ./*.c
if [ -z "${AMUX_MUSL_ARM64:-}" ]; then arm64_musl; else ln -s "$AMUX_MUSL_ARM64" "$work/musl"; fi
include=$work/musl/usr/include/aarch64-linux-musl
lib=$work/musl/usr/lib/aarch64-linux-musl
aarch64-linux-gnu-gcc $flags -mno-outline-atomics -nostdinc -isystem "$include" -isystem "$(aarch64-linux-gnu-gcc -print-file-name=include)" \
  -nostdlib -o prebuilt/amux-init-linux-arm64 "$lib/crt1.o" "$lib/crti.o" ./*.c "$lib/libc.a" \
  "$(aarch64-linux-gnu-gcc -print-libgcc-file-name)" "$lib/crtn.o"
sha256sum -- *.c *.h build.sh >prebuilt/sources.sha256
ls -l prebuilt
