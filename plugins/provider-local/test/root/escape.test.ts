import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createServer } from 'node:net'
import type { Computer } from '../../../../src/contract/index.ts'
import { asRoot, attempt, type Bench, bench, processes, sh } from '../support.ts'

/** The known ways out of a container, tried as root on the computer. */
const refused: Readonly<Record<string, string>> = {
  'mount a disk': 'mkdir -p /tmp/m; for d in $(ls /sys/block); do mount /dev/$d /tmp/m && exit 0; done; exit 1',
  'mount anything': 'mount -t tmpfs x /mnt',
  'mount /proc anew': 'mount -t proc p /mnt',
  'make a read-only mount writable': 'mount -o remount,rw /sys || mount -o remount,bind,rw /proc/sys',
  'write its guest\'s files': 'echo x > /run/amux/kit/guest/guest.js || echo x > /run/amux/kit/init || echo x > /run/amux/node',
  'unmount what hides things': 'umount /proc/interrupts || umount -l /proc/sys || umount /sys/firmware',
  'take mounts in a namespace of its own': 'unshare -m true',
  'take mounts as root of a new user namespace': 'unshare -Urm sh -c "umount /proc/interrupts || mount -t proc p /mnt || mount -t sysfs s /mnt || mount -o remount,bind,rw /proc/sys"',
  'take the namespaces of the machine': 'nsenter -t 1 -m -- ls / | grep -q work || nsenter --mount=/proc/1/ns/mnt test -e /work',
  'press the magic key': 'echo h > /proc/sysrq-trigger',
  'change how the machine dumps cores': 'echo "|/tmp/x" > /proc/sys/kernel/core_pattern',
  'change kernel settings': 'echo 1 > /proc/sys/vm/overcommit_memory || sysctl -w kernel.domainname=x',
  'name a program for hot-plugging': 'echo /tmp/x > /sys/kernel/uevent_helper',
  'write anything in /sys': 'for f in $(find /sys -maxdepth 4 -perm -200 -type f 2>/dev/null | head -50); do (echo 0 > $f) 2>/dev/null && exit 0; done; exit 1',
  'take a control group\'s release agent': 'mkdir -p /tmp/cg; mount -t cgroup -o memory c /tmp/cg || mount -t cgroup2 c /tmp/cg || echo x > /sys/fs/cgroup/release_agent',
  'write to the machine\'s control groups as root of new namespaces':
    'mkdir -p /tmp/cg; for k in "cgroup2 c" "cgroup -o pids c" "cgroup -o memory c" "cgroup -o freezer c"; do unshare -UrmC sh -c "mount -t $k /tmp/cg && mkdir /tmp/cg/x && rmdir /tmp/cg/x" && exit 0; done; exit 1',
  'register a program format': 'mount -t binfmt_misc b /mnt || echo ":x:M::x::/x:" > /proc/sys/fs/binfmt_misc/register',
  'load a module': 'modprobe loop || insmod /lib/modules/x.ko',
  'read the memory of the kernel': 'head -c 1 /proc/kcore | grep -q . || head -c 1 /dev/mem || head -c 1 /dev/kmem',
  'read the log of the kernel': 'dmesg',
  'set the clock': 'date -s 2001-01-01',
  'name the machine': 'hostname stolen',
  'change priorities of the machine': 'renice -n -5 1 || chrt -f 1 true',
  'change root into the machine by process 1': 'chroot /proc/1/root/proc/1/root test -e /work',
}

if (asRoot) {
  describe('from a local computer, root cannot', () => {
    let local: Bench
    let computer: Computer
    before(async () => {
      local = await bench()
      computer = await local.create()
    })
    after(() => local.end())

    for (const [what, script] of Object.entries(refused)) {
      it(what, async () => {
        const { exit, stdout, stderr } = await attempt(computer, `(${script})`, { user: 'root' })
        expect(exit.code, `it could!\n${stdout}${stderr}`).not.to.equal(0)
      })
    }

    it('open files of the machine by handle', async () => {
      const program = 'import ctypes,os,sys;l=ctypes.CDLL(None,use_errno=True);fd=os.open("/run/amux/store",0);h=(ctypes.c_ubyte*16)(8,0,0,0,1,0,0,0,2);r=l.open_by_handle_at(fd,h,0);sys.exit(0 if r>=0 else 9)'
      const { exit } = await attempt(computer, `python3 -c '${program}'`, { user: 'root' })
      expect(exit.code).to.be.oneOf([9, 127])
    })

    it('use a key ring of the machine', async () => {
      const program = 'import ctypes,sys;l=ctypes.CDLL(None,use_errno=True);r=l.syscall(250,0,-4,0);sys.exit(0 if r>=0 else 9)'
      const { exit } = await attempt(computer, `python3 -c '${program}'`, { user: 'root' })
      if (process.arch === 'x64') expect(exit.code).to.be.oneOf([9, 127])
    })

    it('see, signal or trace a process of the machine', async () => {
      const outside = spawn('sleep', ['65432'])
      try {
        expect(await sh(computer, 'ps ax | grep -c "[s]leep 65432" || true', { user: 'root' })).to.equal('0')
        const { exit } = await attempt(computer, `kill -9 ${outside.pid} || cat /proc/${outside.pid}/environ`, { user: 'root' })
        expect(exit.code).not.to.equal(0)
        await sh(computer, 'kill -9 -1; true', { user: 'root' }).catch(() => undefined)
        expect(outside.exitCode).to.equal(null)
        expect(existsSync(`/proc/${outside.pid}`)).to.equal(true)
      } finally {
        outside.kill('SIGKILL')
      }
    })

    it('connect to an abstract socket of the machine', async () => {
      const server = createServer((socket) => socket.end())
      await new Promise<void>((resolve) => server.listen('\0amux-test-abstract', resolve))
      try {
        const { exit } = await attempt(computer, `node -e 'require("net").connect("\\0amux-test-abstract").on("connect",()=>process.exit(0)).on("error",()=>process.exit(9))'`, { user: 'root' })
        expect(exit.code).to.equal(9)
      } finally {
        server.close()
      }
    })

    it('keep privileges that it does not need', async () => {
      const own = Number.parseInt(/CapEff:\s*(\w+)/.exec(await sh(computer, 'cat /proc/self/status', { user: 'root' }))?.[1] ?? '', 16)
      const first = Number.parseInt(/CapBnd:\s*(\w+)/.exec(readFileSync(`/proc/${processes(local, computer).first}/status`, 'utf8'))?.[1] ?? '', 16)
      // chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service sys_chroot audit_write setfcap
      expect(own).to.equal(0xa00405fb)
      expect(first).to.equal(0xa00405fb)
      expect(await sh(computer, 'cat /proc/self/status')).to.match(/CapEff:\s*0+\n/)
    })

    it('change the system of the machine', async () => {
      const hash = () => execFileSync('sh', ['-c', 'ls -la /usr/bin /opt | sha256sum; stat -c %a /etc; sha256sum /etc/hosts; test -s /etc/passwd && test ! -e /new']).toString()
      const before = hash()
      await sh(computer, 'rm -rf /usr/bin/perl /etc/passwd /opt/*; echo x > /etc/hosts; touch /new /usr/bin/new; chmod 777 /etc', { user: 'root' })
      expect(hash()).to.equal(before)
      expect(existsSync('/usr/bin/new')).to.equal(false)
      expect(existsSync(join(local.dataDir, 'computers', computer.name, 'disk/upper/usr/bin/new'))).to.equal(true)
    })
  })
}
