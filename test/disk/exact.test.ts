import { expect } from 'chai'
import { describe, it } from 'mocha'
import { listing } from './lister.ts'
import { isRoot, Place } from './place.ts'

/** One of everything a Linux file system has. As an ordinary user: what that user can make. */
const EVERYTHING = `
  mkdir -p dir/sub empty links
  echo one > dir/file; ln dir/file links/second; ln dir/file dir/sub/third
  ln -s ../nowhere dangling; ln -s dir to-dir
  mkfifo fifo; python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('socket')"
  printf 'x' > $'new\\nline'; printf 'y' > $'not\\xff\\xfeutf8'; printf 't' > $'a\\ttab'; printf 'p' > '%41%'
  touch "$(printf 'n%.0s' $(seq 255))"
  truncate -s 5M sparse; printf 'in the middle' | dd of=sparse bs=1 seek=2500000 conv=notrunc status=none
  truncate -s 300K small-sparse; printf x >> small-sparse; truncate -s 2M all-hole
  head -c 3000001 /dev/urandom > large; head -c 1048576 /dev/urandom > exactly; head -c 4096 /dev/urandom > block
  chmod 4755 dir/file; chmod 0400 block; chmod 1777 empty
  setfattr -n user.note -v 'some value' dir; setfattr -n user.empty large
  setfacl -m u:12:rw dir/file; setfacl -d -m u:13:rx dir; touch -d '1969-12-31 23:59:58.123456789' large; touch -h -d '2001-02-03 04:05:06.7' dangling
  touch -d '2033-05-18 03:33:20.000000001' empty
`
const AS_ROOT = `
  chmod 0000 exactly; mknod whiteout c 0 0; mknod block-device b 259 1048575; chown 12345:54321 dir/sub; chown -h 7:8 to-dir
  cp /bin/true capable; setcap cap_net_raw+ep capable; setfattr -n trusted.overlay.opaque -v y empty
  echo i > immutable; echo a > appendable; mkdir sealed; echo s > sealed/in; chattr +a appendable; chattr +i immutable sealed
`

describe('amux-disk, exactly', () => {
  it('brings back everything a file system has after all of it was destroyed', () => {
    using place = new Place()
    place.sh(EVERYTHING + (isRoot ? AS_ROOT : ''))
    const before = listing(place.home)
    const id = place.create()
    place.sh('chattr -R -f -i -a . 2>/dev/null || true; chmod -R u+rwX . 2>/dev/null || true; find . -mindepth 1 -delete; echo else > file')
    const between = listing(place.home)
    const { safety, changed } = place.restore(id)
    expect(listing(place.home)).to.equal(before)
    expect(changed).to.be.greaterThan(20)
    // And back again: restoring the safety point undoes it.
    place.restore(String(safety))
    expect(listing(place.home)).to.equal(between)
    expect(place.run(['verify'])).to.deep.equal({})
  })

  const changes: Record<string, string> = {
    'content with the same size and time': "cp -p a ref; printf 'ONE' | dd of=a conv=notrunc status=none; touch -r ref a; rm ref",
    'the mode alone': 'chmod 600 a',
    'the time alone': 'touch -d @5 a',
    'a name': 'mv a renamed; mv d e',
    'a hard-link group that splits': 'cp -p l1 tmp; mv tmp l1',
    'hard-link groups that join': 'ln -f l1 a',
    'one name more': 'ln l1 l4; rm l2',
    'a link to another file of the same content': 'cp -p l3 other; ln -f other l3; rm other',
    'file to directory': 'rm a; mkdir -p a/b/c; echo x > a/b/c/d',
    'directory to file': 'rm -r d; echo x > d',
    'directory to link': 'mv d real; ln -s real d',
    'link to directory': 'rm s; mkdir s; echo in > s/in',
    'file to fifo': 'rm a; mkfifo a',
    'an attribute': 'setfattr -n user.a -v 1 a; setfattr -x user.b d',
    'a list of access': 'setfacl -m u:3:r a; setfacl -d -m u:4:r d',
    'a hole filled': 'printf 0123456789 | dd of=sparse bs=1 seek=70000 conv=notrunc status=none',
    'an empty file filled and a full one emptied': 'echo x > nothing; : > a',
    'a small file that grew large': 'head -c 2000000 /dev/zero > a',
    'times of directories': 'touch -d @7 d; touch d/new; rm d/new',
    'a dangling target': 'ln -sfn elsewhere s',
  }
  for (const [what, script] of Object.entries(changes)) {
    it(`sees and undoes ${what}`, () => {
      using place = new Place()
      place.sh('printf one > a; mkdir d; echo f > d/f; setfattr -n user.b -v 2 d; echo l > l1; ln l1 l2; ln l1 l3; ln -s target s; truncate -s 200K sparse; : > nothing')
      const before = listing(place.home)
      const id = place.create()
      place.sh(script)
      const after = listing(place.home)
      expect(after).to.not.equal(before)
      const second = place.create()
      place.restore(id)
      expect(listing(place.home), 'the first').to.equal(before)
      place.restore(second)
      expect(listing(place.home), 'the second').to.equal(after)
      expect(place.restore(second)).to.include({ safety: null, changed: 0 })
    })
  }

  it('goes 300 levels deep, beyond any path the kernel takes', () => {
    using place = new Place()
    const python = (body: string) => place.sh(`python3 - <<'E'\nimport os\n${body}\nE`)
    const deepest = () => python(`
for path, dirs, files, fd in os.fwalk('.', topdown=True):
  dirs.sort()
  for name in files: print(len(path), name, open(name, opener=lambda p, f: os.open(p, f, dir_fd=fd)).read(), os.stat(name, dir_fd=fd).st_mtime_ns, os.stat(fd).st_mtime_ns)`)
    python(`
for i in range(300):
  os.mkdir('a-rather-long-name-%d' % i)
  os.chdir('a-rather-long-name-%d' % i)
  open('file', 'w').write(str(i))`)
    const before = deepest()
    expect(before.split('\n')).to.have.length(301)
    const id = place.create()
    python(`
for i in range(300):
  os.chdir('a-rather-long-name-%d' % i)
  open('file', 'a').write('more')
  if i == 150: os.rename('a-rather-long-name-151', 'moved'); break`)
    place.restore(id)
    expect(deepest()).to.equal(before)
    place.sh('find . -mindepth 1 -delete')
    place.restore(id)
    expect(deepest()).to.equal(before)
    place.sh('find . -mindepth 1 -delete')
  })

  it('reads only what changed, and stores a change of mode or name in a few bytes', () => {
    using place = new Place()
    place.sh('mkdir d; for i in $(seq 50); do head -c 100000 /dev/urandom > d/f$i; done; sleep 0.1')
    expect(place.run(['create', 'v', '{}'])).to.include({ copied: 5_000_000 })
    const stored = place.stored()
    place.sh('mv d e; chmod 600 e/f1; touch e/f2; cp -p e/f3 x; mv x e/f3; ln e/f4 e/hard')
    expect(place.run(['create', 'v', '{}'])).to.include({ copied: 0 })
    place.sh('echo more >> e/f5')
    expect(place.run(['create', 'v', '{}'])).to.include({ copied: 100_005 })
    expect(place.stored() - stored).to.be.lessThan(200_000)
  })
})
