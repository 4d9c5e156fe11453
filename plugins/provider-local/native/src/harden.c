#include "box.h"
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const capabilities[] = {
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap", "linux_immutable",
    "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner", "sys_module", "sys_rawio", "sys_chroot",
    "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice", "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease",
    "audit_write", "audit_control", "setfcap", "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read",
    "perfmon", "bpf", "checkpoint_restore",
};

struct cap_header {
  uint32_t version;
  int pid;
};
struct cap_data {
  uint32_t effective, permitted, inheritable;
};

static uint64_t numbers_of(const char *names) {
  uint64_t numbers = 0;
  for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++)
    if (has_word(names, capabilities[i])) numbers |= 1ULL << i;
  return numbers;
}

bool keep_caps(const char *names) {
  uint64_t kept = numbers_of(names);
  /* Up to the first that the kernel does not know, so that a newer kernel's new ones go as well. */
  for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0 && i < 64; i++)
    if (!(kept >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0) return false;
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  struct cap_header header = {.version = 0x20080522};
  struct cap_data data[2];
  for (int i = 0; i < 2; i++) data[i] = (struct cap_data){(uint32_t)(kept >> 32 * i), (uint32_t)(kept >> 32 * i), 0};
  return syscall(SYS_capset, &header, data) == 0;
}

bool pass_caps(const char *names) {
  struct cap_header header = {.version = 0x20080522};
  struct cap_data data[2];
  if (syscall(SYS_capget, &header, data) != 0) return false;
  uint64_t passed = numbers_of(names) & (data[0].permitted | (uint64_t)data[1].permitted << 32);
  for (int i = 0; i < 2; i++) data[i].inheritable = (uint32_t)(passed >> 32 * i);
  if (syscall(SYS_capset, &header, data) != 0) return false;
  for (int i = 0; i < 64; i++)
    if ((passed >> i & 1) && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) != 0) return false;
  return true;
}

struct filter {
  uint16_t code;
  uint8_t yes, no;
  uint32_t value;
};
struct program {
  unsigned short length;
  const struct filter *filters;
};

enum { LOAD = 0x20, EQUAL = 0x15, AT_LEAST = 0x35, ANY_BIT = 0x45, RETURN = 0x06 };
enum { NUMBER = 0, ARCH = 4, FIRST_ARGUMENT = 16, ALLOW = 0x7fff0000, DENY = 0x00050000 /* | errno */ };
enum { AF_PACKET_ = 17, AF_VSOCK_ = 40, NEW_CGROUP = 0x02000000, CLONE3 = 435, CALLS = 11 };

/*
 * add_key, request_key, keyctl, syslog, perf_event_open, open_by_handle_at, bpf, userfaultfd, kexec_load; io_uring_setup and
 * the old socketcall, which make sockets behind this filter's back. `socket`: not past the network namespace, as VSOCK is,
 * nor below its packet filter. `clone`, `unshare`: no new control group namespace, in which root of a new user namespace may
 * mount the groups that the computer is in, and write to them. clone3's flags are out of a filter's sight: programs take the
 * old one when there is none. Little-endian: the low half of an argument comes first.
 */
static const struct {
  uint32_t arch, socket, clone, unshare, calls[CALLS];
} denied[] = {
#ifdef __x86_64__
    {0xC000003E, 41, 56, 272, {248, 249, 250, 103, 298, 304, 321, 323, 246, 425, 425}},
    {0x40000003, 359, 120, 310, {286, 287, 288, 103, 336, 342, 357, 374, 283, 425, 102}},
#else
    {0xC00000B7, 198, 220, 97, {217, 218, 219, 116, 241, 265, 280, 282, 104, 425, 425}},
    {0x40000028, 281, 120, 337, {309, 310, 311, 103, 364, 371, 386, 388, 347, 425, 102}},
#endif
};

bool deny_syscalls(void) {
  struct filter list[64];
  unsigned short at = 0;
  for (size_t i = 0; i < sizeof denied / sizeof *denied; i++) {
    bool main_abi = i == 0;
    list[at++] = (struct filter){LOAD, 0, 0, ARCH};
    /* Another architecture: over this block. */
    list[at++] = (struct filter){EQUAL, 0, (uint8_t)(CALLS + 15 + main_abi), denied[i].arch};
    list[at++] = (struct filter){LOAD, 0, 0, NUMBER};
    for (size_t call = 0; call < CALLS; call++)
      list[at++] = (struct filter){EQUAL, (uint8_t)(CALLS - call + 10 + main_abi), 0, denied[i].calls[call]};
    /* The x32 numbers would be a way around the list. */
    if (main_abi) list[at++] = (struct filter){AT_LEAST, 11, 0, 0x40000000};
    list[at++] = (struct filter){EQUAL, 12, 0, CLONE3};
    list[at++] = (struct filter){EQUAL, 6, 0, denied[i].clone};
    list[at++] = (struct filter){EQUAL, 5, 0, denied[i].unshare};
    list[at++] = (struct filter){EQUAL, 0, 3, denied[i].socket};
    list[at++] = (struct filter){LOAD, 0, 0, FIRST_ARGUMENT};
    list[at++] = (struct filter){EQUAL, 6, 0, AF_VSOCK_};
    list[at++] = (struct filter){EQUAL, 5, 0, AF_PACKET_};
    list[at++] = (struct filter){RETURN, 0, 0, ALLOW};
    list[at++] = (struct filter){LOAD, 0, 0, FIRST_ARGUMENT};
    list[at++] = (struct filter){ANY_BIT, 1, 0, NEW_CGROUP};
    list[at++] = (struct filter){RETURN, 0, 0, ALLOW};
    list[at++] = (struct filter){RETURN, 0, 0, DENY | EPERM};
    list[at++] = (struct filter){RETURN, 0, 0, DENY | EAFNOSUPPORT};
    list[at++] = (struct filter){RETURN, 0, 0, DENY | ENOSYS};
  }
  list[at++] = (struct filter){RETURN, 0, 0, DENY | EPERM};
  struct program program = {at, list};
  /* Kernels without the filter exist; the capabilities hold there all the same. */
  return prctl(PR_SET_SECCOMP, 2 /* FILTER */, &program, 0, 0) == 0 || errno == EINVAL || errno == ENOSYS;
}

struct ruleset {
  uint64_t files, net, scoped;
};

bool scope_sockets(void) {
  struct ruleset rules = {.scoped = 1 /* abstract unix sockets */};
  int fd = (int)syscall(444 /* landlock_create_ruleset */, &rules, sizeof rules, 0);
  if (fd < 0) return false;
  bool done = syscall(446 /* landlock_restrict_self */, fd, 0) == 0;
  close(fd);
  return done;
}
