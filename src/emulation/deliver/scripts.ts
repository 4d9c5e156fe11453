/**
 * What is run on a computer before there is a guest: POSIX sh, with programs every system has. Arguments come as
 * arguments, never inside the text.
 */

/**
 * `$1` store or '', `$2` run directory or '', `$3` version, `$4` not empty: only look. When a guest's socket is there,
 * of whatever version, it becomes the bridge to it, after the word `bridge`; else it tells what there is.
 */
export const enter = String.raw`
umask 077
store=$1 run=$2 version=$3
[ -n "$store" ] || store=$HOME/.local/share/amux-guest
uid=$(id -u)
if [ -z "$run" ]; then
  run=$store/run
  [ $(printf %s "$run" | wc -c) -le 70 ] || run=/tmp/amux-guest-$uid-$(printf %s "$store" | cksum | cut -d ' ' -f 1)
fi
kit=$store/kits/$version
init=$kit/amux-init
[ -x "$init" ] || for init in "$store"/kits/*/amux-init; do [ -x "$init" ] && break; done
if [ -z "$4" ] && [ -S "$run/guest.sock" ] && [ -x "$init" ]; then
  printf 'amux\0bridge\0\0'
  exec "$init" bridge "$run/guest.sock"
fi
tell() { printf '%s=%s\0' "$1" "$2"; }
printf 'amux\0probe\0'
mkdir -p "$store/kits" || { tell problem "cannot write to $store"; exit 0; }
tell store "$store"
tell run "$run"
tell arch "$(uname -m)"
tell uid "$uid"
tell gid "$(id -g)"
tell user "$(id -un 2>/dev/null || echo "$uid")"
tell home "$HOME"
[ -f "$kit/complete" ] && tell kit yes
ls /lib*/ld-linux-* /lib/*/ld-linux-* >/dev/null 2>&1 && tell libc glibc
node=$(command -v node) && tell node "$node" && tell nodeVersion "$(node -p process.versions.node 2>/dev/null)"
for own in "$store"/node/*/node; do [ -x "$own" ] && tell own "$own"; done
tell guest "$(ls "$run/guest.sock" 2>/dev/null)"
printf 'env\0'
cat /proc/self/environ
`

/** `$1` final path, `$2` size; stdin: the file. Whole or not at all. */
export const place = String.raw`
umask 022
mkdir -p "$(dirname "$1")" || exit 1
new=$1.$$
trap 'rm -f "$new"' EXIT
cat > "$new" || exit 1
[ $(wc -c < "$new") -eq "$2" ] || { echo "the copy is not complete" >&2; exit 1; }
chmod 755 "$new" && mv -f "$new" "$1"
`

/** `$1` store, `$2` run directory, `$3` kit, `$4` node, `$5` size; stdin: the configuration. */
export const start = String.raw`
umask 077
mkdir -p "$2" && chmod 700 "$2" && [ -O "$2" ] && [ ! -L "$2" ] || { echo "$2 is not a private directory" >&2; exit 1; }
new=$1/guest.json.$$
trap 'rm -f "$new"' EXIT
cat > "$new" || exit 1
[ $(wc -c < "$new") -eq "$5" ] || { echo "the configuration did not arrive whole" >&2; exit 1; }
mv -f "$new" "$1/guest.json" || exit 1
umask 022
"$3/amux-init" start "$1/guest.json" -- "$4" "$3/guest.js" < /dev/null || exit 1
find "$1/kits" "$1/node" -mindepth 1 -maxdepth 1 -mtime +7 ! -path "$3" ! -path "$(dirname "$4")" -exec rm -rf {} + 2>/dev/null
exit 0
`

/** `$1` process id of a guest: prints that of its supervisor, where it is ours. */
export const supervisor = String.raw`
init=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$1/status" 2>/dev/null)
[ -n "$init" ] || exit 0
case $(readlink "/proc/$init/exe") in *amux-init*) echo "$init" ;; esac
`

/** `$1` process id of a supervisor: ends it, waits until it is gone. */
export const stop = String.raw`
kill -TERM "$1" 2>/dev/null || exit 0
n=0
while readlink "/proc/$1/exe" >/dev/null 2>&1; do
  n=$((n + 1))
  [ $n -le 200 ] || { echo "the old supervisor does not end" >&2; exit 1; }
  sleep 0.05 2>/dev/null || sleep 1
done
`

/**
 * Run by the computer's Node: unpacks the kit. `argv[1]` final directory; stdin: a line of JSON with names, sizes and
 * modes, then the bytes. A part is never taken for the whole: it becomes visible by one rename.
 */
export const unpack = String.raw`
const fs = require('fs'), path = require('path')
const final = process.argv[1], parts = []
process.stdin.on('data', (part) => parts.push(part)).on('end', () => {
  const all = Buffer.concat(parts), line = all.indexOf(10)
  if (line < 0) throw new Error('the kit did not arrive')
  const files = JSON.parse(all.subarray(0, line)), sum = files.reduce((n, f) => n + f.size, 0)
  if (all.length !== line + 1 + sum) throw new Error('the kit did not arrive whole')
  fs.mkdirSync(path.dirname(final), { recursive: true, mode: 0o755 })
  const fresh = fs.mkdtempSync(path.dirname(final) + '/.new-')
  fs.chmodSync(fresh, 0o755)
  let at = line + 1
  for (const { name, size, mode } of files) {
    fs.writeFileSync(path.join(fresh, path.basename(name)), all.subarray(at, at += size), { mode })
    fs.chmodSync(path.join(fresh, path.basename(name)), mode)
  }
  fs.writeFileSync(fresh + '/complete', '')
  const whole = () => fs.existsSync(final + '/complete')
  for (let n = 0; n < 3 && !whole(); n++) {
    try { fs.renameSync(fresh, final) } catch (error) { if (!whole()) fs.rmSync(final, { recursive: true, force: true }) }
  }
  fs.rmSync(fresh, { recursive: true, force: true })
  if (!whole()) throw new Error('the kit could not be put in place')
})
`
