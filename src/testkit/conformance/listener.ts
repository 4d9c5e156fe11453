import type { Computer, Process } from '../../contract/index.ts'
import { Reader, sh } from './helpers.ts'

/** The same in three languages, since a computer has one of them: accepts, sends back what it gets, ends when the peer ends. */
const echo: Readonly<Record<string, readonly string[]>> = {
  node: ['-e', 'require("net").createServer({allowHalfOpen:true},s=>{s.on("error",()=>{});s.pipe(s)}).listen(0,"127.0.0.1",function(){console.log("port "+this.address().port)})'],
  python3: [
    '-c',
    `import socket,threading
def serve(c):
    while True:
        d=c.recv(65536)
        if not d: break
        c.sendall(d)
    c.close()
s=socket.socket(); s.bind(("127.0.0.1",0)); s.listen(64)
print("port",s.getsockname()[1],flush=True)
while True:
    c,_=s.accept(); threading.Thread(target=serve,args=(c,),daemon=True).start()`,
  ],
  perl: [
    '-MIO::Socket::INET',
    '-e',
    `$|=1; $SIG{CHLD}="IGNORE"; $s=IO::Socket::INET->new(LocalAddr=>"127.0.0.1",Listen=>64) or die $!; print "port ".$s->sockport."\\n";
while($c=$s->accept){ if(fork){close $c; next} while(sysread($c,$d,65536)){ $o=0; while($o<length $d){ $o+=syswrite($c,$d,length($d)-$o,$o) } } exit }`,
  ],
}

export interface Listener {
  readonly port: number
  readonly program: Process
  stop(): Promise<void>
}

/** An echo server on the computer's loopback. */
export async function listen(computer: Pick<Computer, 'spawn'>): Promise<Listener> {
  const found = await sh(computer, 'for p in node python3 perl; do command -v $p >/dev/null && { echo $p; exit; }; done; echo none')
  const args = echo[found]
  if (args === undefined) throw new Error('the tunnel tests need node, python3 or perl on the computer')
  const program = await computer.spawn([found, ...args])
  const text = await new Reader(program.stdout).until(/port \d+\n/)
  const port = Number(/port (\d+)/.exec(text)?.[1])
  return {
    port,
    program,
    async stop() {
      await program.kill('SIGKILL')
      await program.exit.catch(() => {})
    },
  }
}
