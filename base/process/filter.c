#include "base/process/filter.h"
#include "config.h"

#if defined __SANITIZE_ADDRESS__
#define LEAKS_ARE_SOUGHT 1 /* with ptrace, at the end */
#else
#define LEAKS_ARE_SOUGHT 0
#endif

#if VT_HAVE_SECCOMP && !LEAKS_ARE_SOUGHT
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Headers of before Linux 5.8. */
#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif

/* clock calls are here for machines without a vDSO clock. */
static const unsigned needed[] = {
    /* clang-format off */
    SYS_access, SYS_brk, SYS_chmod, SYS_clock_getres, SYS_clock_gettime, SYS_clock_nanosleep, SYS_close,
    SYS_dup, SYS_dup2, SYS_dup3, SYS_exit, SYS_exit_group, SYS_faccessat, SYS_faccessat2, SYS_fadvise64,
    SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fcntl, SYS_fdatasync, SYS_flock, SYS_fstat, SYS_fstatfs,
    SYS_fsync, SYS_ftruncate, SYS_futex, SYS_getcwd, SYS_getdents64, SYS_getegid, SYS_geteuid, SYS_getgid,
    SYS_getpid, SYS_getppid, SYS_getrandom, SYS_getrlimit, SYS_getrusage, SYS_gettid, SYS_gettimeofday,
    SYS_getuid, SYS_lseek, SYS_lstat, SYS_madvise, SYS_mkdir, SYS_mkdirat, SYS_mmap, SYS_mprotect,
    SYS_mremap, SYS_munmap, SYS_nanosleep, SYS_newfstatat, SYS_open, SYS_openat, SYS_pipe2, SYS_poll,
    SYS_ppoll, SYS_pread64, SYS_pwrite64, SYS_read, SYS_readlink, SYS_readlinkat, SYS_readv, SYS_rename,
    SYS_renameat, SYS_renameat2, SYS_restart_syscall, SYS_rmdir, SYS_rseq, SYS_rt_sigaction,
    SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigtimedwait, SYS_sched_getaffinity, SYS_sched_yield,
    SYS_set_robust_list, SYS_sigaltstack, SYS_stat, SYS_statfs, SYS_statx, SYS_sysinfo, SYS_tgkill,
    SYS_time, SYS_umask, SYS_uname, SYS_unlink, SYS_unlinkat, SYS_wait4, SYS_write, SYS_writev,
    /* clang-format on */
};

/* Allowed where bits of an argument are these. */
struct part {
    unsigned call, argument;
    uint64_t bits, are;
};

enum {
    PARTS = 8,
    COUNT = sizeof needed / sizeof needed[0],
    CHECK = 6,
    PART = 8,
    MOST = CHECK + COUNT + 1 + PARTS * PART + 1
};

struct program {
    struct sock_filter code[MOST];
    unsigned short length;
};

static void emit(struct program *program, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
    program->code[program->length++] = (struct sock_filter){code, yes, no, k};
}

static void load(struct program *program, size_t offset)
{
    emit(program, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* On where the accumulator is `k`; otherwise over the next `skipped`. */
static void demand(struct program *program, uint32_t k, uint8_t skipped)
{
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, k, 0, skipped);
}

static void answer(struct program *program, uint32_t action)
{
    emit(program, BPF_RET | BPF_K, action, 0, 0);
}

/* Numbers mean other calls to 32-bit code and to x32 (seccomp(2)). */
static void check_architecture(struct program *program)
{
    load(program, offsetof(struct seccomp_data, arch));
    emit(program, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
    answer(program, SECCOMP_RET_KILL_PROCESS);
    load(program, offsetof(struct seccomp_data, nr));
    emit(program, BPF_JMP | BPF_JGE | BPF_K, __X32_SYSCALL_BIT, 0, 1);
    answer(program, SECCOMP_RET_ERRNO | ENOSYS);
}

/* Each call jumps to the answer behind the list. */
static void allow_needed(struct program *program)
{
    _Static_assert(COUNT < UINT8_MAX, "a jump is 255 instructions long at most");
    for (unsigned i = 0; i < COUNT; i++)
        emit(program, BPF_JMP | BPF_JEQ | BPF_K, needed[i], (uint8_t)(COUNT - 1 - i), i + 1 == COUNT);
    answer(program, SECCOMP_RET_ALLOW);
}

static void allow_part(struct program *program, const struct part *part)
{
    size_t low = offsetof(struct seccomp_data, args) + part->argument * sizeof(uint64_t);
    load(program, offsetof(struct seccomp_data, nr));
    demand(program, part->call, 6);
    load(program, low + sizeof(uint32_t));
    demand(program, (uint32_t)(part->are >> 32), 4);
    load(program, low);
    emit(program, BPF_ALU | BPF_AND | BPF_K, (uint32_t)part->bits, 0, 0);
    demand(program, (uint32_t)part->are, 1);
    answer(program, SECCOMP_RET_ALLOW);
}

bool vt_filter_calls(void)
{
    const uint64_t self = (uint64_t)getpid(), whole = UINT64_MAX;
    /* Threads but no processes; signals to nobody else but to ask whether he is there; limits are read. */
    const struct part parts[PARTS] = {
        {SYS_clone, 0, CLONE_THREAD, CLONE_THREAD},
        {SYS_kill, 0, whole, self},
        {SYS_kill, 1, whole, 0},
        {SYS_tkill, 0, whole, self},
        {SYS_prlimit64, 2, whole, 0},
        {SYS_ioctl, 1, whole, 0x5401},     /* TCGETS */
        {SYS_ioctl, 1, whole, 0x802c542a}, /* TCGETS2, with which isatty() asks since glibc 2.42 */
        {SYS_ioctl, 1, whole, 0x5413},     /* TIOCGWINSZ */
    };
    struct program program = {.length = 0};
    check_architecture(&program);
    allow_needed(&program);
    for (unsigned i = 0; i < PARTS; i++)
        allow_part(&program, &parts[i]);
    answer(&program, SECCOMP_RET_ERRNO | ENOSYS);
    const struct sock_fprog filter = {program.length, program.code};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}
#else
bool vt_filter_calls(void)
{
    return false;
}
#endif
