/**
 * The guest's HTTP/2 surface. Parameters go in the query, documents are JSON bodies, `frames` is `frames.ts` both ways.
 *
 *   GET    /v1/hello                                    Hello
 *   POST   /v1/exec                                     frames; first client frame: open(StartRequest)
 *   POST   /v1/attach                                   frames; first client frame: open(AttachRequest)
 *   GET    /v1/sessions                                 SessionList
 *   GET    /v1/sessions/ID  ?wait=1                     SessionInfo; with wait, once it ended
 *   DELETE /v1/sessions/ID                              204
 *   GET    /v1/sessions/ID/logs ?stream&from&tail&follow=1   frames: mark, stdout, stderr, done
 *   POST   /v1/sessions/ID/input ?eof=1                 body: bytes; 204 once all were taken
 *   POST   /v1/sessions/ID/resize                       {cols, rows}; 204
 *   POST   /v1/sessions/ID/signal                       {signal}; 204
 *   POST   /v1/sessions/ID/kill                         {signal?, grace?}; SessionInfo
 *   GET    /v1/file ?path&offset&length                 bytes
 *   PUT    /v1/file ?path&mode&user&parents=1           body: bytes; 204 once in place
 *   DELETE /v1/file ?path&recursive=1                   204
 *   GET    /v1/stat ?path                               FileStat
 *   GET    /v1/files ?path                              FileList
 *   POST   /v1/mkdir ?path&mode&user&parents=1          204
 *   POST   /v1/rename ?from&to                          204
 *   POST   /v1/chmod ?path&mode&recursive=1             204
 *   POST   /v1/chown ?path&user&recursive=1             204
 *   POST   /v1/copy ?from&to&recursive=1&preserve=1     204
 *   GET    /v1/watch ?path&path…&recursive=1            NDJSON of FileEvent; the answer begins once it watches
 *   GET    /v1/archive ?path                            tar
 *   PUT    /v1/archive ?path&user                       body: tar; 204 once unpacked
 *   POST   /v1/tunnel ?host&port                        200 once connected, then raw bytes both ways
 *   GET    /v1/ports                                    PortList
 *   GET    /v1/ports/events                             NDJSON of PortEvent
 *   GET    /v1/idle ?window                             IdleState; seconds for which what worked still counts, default 60
 *   PUT    /v1/idle/stop                                {after}: milliseconds, or null for never; 204
 *   GET    /v1/services                                 ServiceList
 *   GET    /v1/services/NAME                            ServiceReport
 *   PUT    /v1/services/NAME ?start=0                   body: ServiceSpec; ServiceReport
 *   POST   /v1/services/NAME/start | stop | restart     ServiceReport, once it is so
 *   POST   /v1/services/NAME/signal                     {signal}; 204
 *   DELETE /v1/services/NAME                            204; 409 while another needs it
 *   GET    /v1/services/NAME/wait ?run                  ServiceReport, once that run is not the newest any more
 *   GET    /v1/runs/ID/logs ?stream&from&tail&follow=1  as of a session
 *   POST   /v1/listen ?path&mode                        NDJSON of {id}: a connection to that unix socket
 *   POST   /v1/accept ?id                               200, then its raw bytes both ways
 *   POST   /v1/ending                                   {reason: 'restored'}; 204; what sessions that are ended next will say
 *   POST   /v1/exit                                     204; the guest ends (its supervisor stays); 409 while sessions live
 *
 * Failures before the first byte: a status >= 400 and a WireError; after it the stream is reset. Either side gives up
 * by a reset too, never by a mere end: Node's `close(code)` ends a stream in good order first, `destroy()` does not.
 * `mode` is octal text. The header `amux-nonce` names the guest that is meant.
 */
export const Path = {
  hello: '/v1/hello',
  exec: '/v1/exec',
  attach: '/v1/attach',
  sessions: '/v1/sessions',
  file: '/v1/file',
  files: '/v1/files',
  stat: '/v1/stat',
  mkdir: '/v1/mkdir',
  rename: '/v1/rename',
  chmod: '/v1/chmod',
  chown: '/v1/chown',
  copy: '/v1/copy',
  watch: '/v1/watch',
  services: '/v1/services',
  runs: '/v1/runs',
  listen: '/v1/listen',
  accept: '/v1/accept',
  archive: '/v1/archive',
  tunnel: '/v1/tunnel',
  ports: '/v1/ports',
  portEvents: '/v1/ports/events',
  idle: '/v1/idle',
  idleStop: '/v1/idle/stop',
  ending: '/v1/ending',
  exit: '/v1/exit',
} as const

/** Names below `GuestConfig.run` and `GuestConfig.store`. */
export const Place = {
  guestSocket: 'guest.sock',
  /** See `direct.ts`. */
  directSocket: 'direct.sock',
  initSocket: 'init.sock',
  sessionSockets: 's',
  config: 'guest.json',
  sessions: 'sessions',
  services: 'services',
  /** Why sessions are about to end, if not for an ordinary stop. */
  ending: 'ending',
  /** IdleSetting; not there: it never stops by itself. */
  idle: 'idle.json',
  /** Slept: that it stopped by itself the last time. */
  slept: 'slept.json',
} as const
