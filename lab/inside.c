#include "lab/inside.h"
#include "base/file.h"
#include "guest/abi.h"
#include "guest/catalogue.h"
#include "lab/link.h"
#include "lab/parameters.h"
#include "lab/profile/collect.h"
#include "lab/profile/flow.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#define LARGEST_MODULE ((size_t)256 << 20)

int vt_lab_inside(void)
{
    return getpid() == 1;
}

static void send_bytes(const char *data, size_t size)
{
    /* The C library's outsb does not tell the compiler that it reads memory. */
    __asm__ volatile("" : : "r"(data) : "memory");
    outsb(VT_LAB_PORT, data, size);
}

void vt_lab_inside_pass(const char *data, size_t size)
{
    send_bytes(data, size);
}

void vt_lab_inside_say(const char *format, ...)
{
    char line[600];
    va_list arguments;

    va_start(arguments, format);
    int size = vsnprintf(line, sizeof line - 1, format, arguments);
    va_end(arguments);
    if (size < 0)
        return;
    if (size > (int)sizeof line - 2)
        size = (int)sizeof line - 2;
    line[size] = '\n';
    send_bytes(line, (size_t)size + 1);
}

void vt_lab_inside_send(const char *document, size_t size)
{
    vt_lab_inside_say("@result %zu", size);
    send_bytes(document, size);
}

void vt_lab_inside_send_row(const char *document, size_t size)
{
    vt_lab_inside_say("@measured %zu", size);
    send_bytes(document, size);
}

void vt_lab_inside_hand_over_symbols(void)
{
    __asm__ volatile(VT_FLOW_OVER_CODE);
    vt_lab_inside_say("@stage reading symbols");
    vt_lab_inside_say("@fact symbols %zu", vt_symbols_hand_over());
}

void vt_lab_inside_send_symbols(void)
{
    unsigned char *packed = NULL;
    size_t size;

    __asm__ volatile(VT_FLOW_OVER_CODE);
    vt_lab_inside_say("@stage reading symbols");
    if (vt_symbols_collect(&packed, &size) == 0) {
        vt_lab_inside_say("@symbols %zu", size);
        send_bytes((const char *)packed, size);
    }
    free(packed);
}

void vt_lab_inside_end(const struct vt_error *error)
{
    if (error)
        vt_lab_inside_say("@error %d %s", (int)error->exit, error->text);
    vt_lab_inside_say("@end");
    for (;;)
        pause();
}

static int mount_all(struct vt_error *error)
{
    static const struct {
        const char *type, *folder;
    } mounts[] = {
        {"proc", "/proc"},
        {"sysfs", "/sys"},
        {"devtmpfs", "/dev"},
    };

    for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++)
        if (mount(mounts[i].type, mounts[i].folder, mounts[i].type, 0, NULL) != 0)
            return vt_error_set(error, VT_EXIT_ENVIRONMENT, errno, "this kernel cannot mount %s: %s",
                                mounts[i].type, strerror(errno));
    /* KVM's counters before Linux 5.14; without them rows are unverified, not missing. */
    mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
    return 0;
}

/* Section .modinfo holds "vermagic=6.1.0 SMP ...": release and configuration of the kernel it was built for.
 */
static void tell_mismatch(const char *path, char *text, size_t size)
{
    static const char key[] = "vermagic=";
    struct utsname kernel;
    struct vt_error ignored;
    char *data = NULL, release[sizeof kernel.release] = "another kernel";
    size_t length;

    uname(&kernel);
    const char *line = vt_file_read(path, LARGEST_MODULE, &data, &length, &ignored) == 0
                           ? memmem(data, length, key, sizeof key - 1)
                           : NULL;
    if (line)
        snprintf(release, sizeof release, "%.*s", (int)strcspn(line + sizeof key - 1, " "),
                 line + sizeof key - 1);
    free(data);
    if (strcmp(release, kernel.release) == 0)
        snprintf(text, size, "it was built for another configuration of %s", release);
    else
        snprintf(text, size, "it was built for %s and this is %s", release, kernel.release);
}

static void tell_why(const char *path, int number, char *text, size_t size)
{
    if (number == ENOEXEC)
        tell_mismatch(path, text, size);
    else if (number == EKEYREJECTED)
        snprintf(text, size, "it was changed after it was signed");
    else
        snprintf(text, size, "%s",
                 number == EOPNOTSUPP ? "the emulated CPU lacks what it needs"
                 : number == ENOENT
                     ? "it needs a symbol that neither the kernel nor the modules before it have"
                     : strerror(number));
}

/* syslog(2) */
enum { KERNEL_LOG_READ = 3, KERNEL_LOG_CLEAR = 5 };

/* The kernel's last words that hold `word`, since its log was cleared: "<3>[    3.417364] kvm: ..." */
static void tell_kernels_words(const char *word, char *text, size_t size)
{
    static char log[65536];
    int length = klogctl(KERNEL_LOG_READ, log, sizeof log - 1);

    *text = '\0';
    log[length > 0 ? length : 0] = '\0';
    for (char *rest = log, *line; (line = strsep(&rest, "\n"));) {
        const char *said = strstr(line, "] ");
        if (said && strstr(said, word))
            snprintf(text, size, " (the kernel says: %.200s)", said + 2);
    }
}

/* What it says of "kvm-amd.ko" it begins with "kvm_amd: ", but for its signature; others speak meanwhile. */
static void tell_of_module(const char *file, char *text, size_t size)
{
    char name[100];
    snprintf(name, sizeof name, "%.*s: ", (int)strcspn(file, "."), file);
    for (char *c = name; (c = strchr(c, '-'));)
        *c = '_';
    tell_kernels_words(name, text, size);
    if (!*text)
        tell_kernels_words("", text, size);
}

/* "01-kvm-amd.ko" is the module kvm_amd. */
static void parameters_for(const char *file, const struct vt_lab_plan *plan, char *text, size_t size)
{
    char module[64];
    const char *name = strchr(file, '-') ? strchr(file, '-') + 1 : file;

    snprintf(module, sizeof module, "%.*s", (int)strcspn(name, "."), name);
    for (char *dash = module; (dash = strchr(dash, '-'));)
        *dash = '_';
    vt_lab_parameters_of(plan->parameters, module, text, size);
}

static int load_module(const char *name, const struct vt_lab_plan *plan, struct vt_error *error)
{
    char path[300], why[200], words[240], parameters[sizeof plan->parameters];
    const char *shown = strchr(name, '-') ? strchr(name, '-') + 1 : name;
    snprintf(path, sizeof path, "/" VT_LAB_INSIDE_MODULES "/%s", name);
    vt_lab_inside_say("@stage loading %s", shown);
    parameters_for(name, plan, parameters, sizeof parameters);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    klogctl(KERNEL_LOG_CLEAR, NULL, 0);
    int number = fd >= 0 && syscall(SYS_finit_module, fd, parameters, 0) == 0 ? 0 : errno;
    if (fd >= 0)
        close(fd);
    if (number == 0 || number == EEXIST)
        return 0;
    tell_why(path, number, why, sizeof why);
    tell_of_module(shown, words, sizeof words);
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number, "the module %s does not load: %s%s", shown, why,
                        words);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Their names start with a number: the order in which they need each other. */
static int load_modules(const struct vt_lab_plan *plan, struct vt_error *error)
{
    struct dirent **list;
    int status = 0, count = scandir("/" VT_LAB_INSIDE_MODULES, &list, visible, by_name);

    for (int i = 0; i < count; i++) {
        if (status == 0)
            status = load_module(list[i]->d_name, plan, error);
        free(list[i]);
    }
    if (count >= 0)
        free(list);
    return status;
}

static int check_device(const struct utsname *kernel, struct vt_error *error)
{
    char words[240];

    if (access("/dev/kvm", R_OK | W_OK) == 0)
        return 0;
    int number = errno;
    tell_kernels_words("kvm", words, sizeof words);
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, number,
                        "the kernel %s has no KVM for this CPU: it needs CONFIG_KVM and the CPU's part of it "
                        "(CONFIG_KVM_AMD, CONFIG_KVM_INTEL), built in or as modules in --modules DIR%s",
                        kernel->release, words);
}

/*
 * Two kernels of the same file have their functions at the same addresses, but for what they loaded: a sum of
 * that, so that a profile can trust it. Said with and without one: equal runs count the same.
 */
static void say_modules(const struct vt_lab_plan *plan)
{
    struct vt_error ignored;
    char *text = NULL;
    size_t size = 0;
    uint64_t sum = UINT64_C(0xcbf29ce484222325);

    if (plan->depth < 2)
        return;
    if (vt_file_read("/proc/modules", 65536, &text, &size, &ignored) != 0)
        size = 0;
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    free(text);
    vt_lab_inside_say("@fact %s %016llx", plan->starts ? "modules-below" : "modules",
                      (unsigned long long)sum);
}

int vt_lab_inside_prepare(struct vt_lab_plan *plan, struct vt_error *error)
{
    struct utsname kernel;
    char *text = NULL;
    size_t size;

    if (iopl(3) != 0)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, errno, "this kernel does not allow port I/O: %s",
                            strerror(errno));
    uname(&kernel);
    vt_lab_inside_say("@fact kernel %s %s %s", kernel.sysname, kernel.release, kernel.version);
    vt_lab_inside_say("@stage mounting");
    int status = mount_all(error);
    if (status == 0)
        status = vt_file_read("/" VT_LAB_INSIDE_PLAN, 65536, &text, &size, error);
    if (status == 0)
        status = vt_lab_plan_parse(plan, VT_LAB_INSIDE_PLAN, text, error);
    free(text);
    if (status == 0)
        status = load_modules(plan, error);
    if (status == 0)
        status = check_device(&kernel, error);
    if (status == 0)
        say_modules(plan);
    return status == 0 ? vt_lab_parameters_in_force(plan->parameters, "/sys/module", error) : status;
}

/* The shortest of repeated runs: interrupts only add. */
static double turn_ticks(vt_case_function function, struct vt_scratch *scratch, uint64_t turns)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 20; i++) {
        uint64_t tsc[2];
        vt_batch(function, turns, scratch, tsc);
        least = tsc[1] - tsc[0] < least ? tsc[1] - tsc[0] : least;
    }
    return (double)least;
}

/* The loop of the case `nop` is DEC, JNZ and, in the body, one NOP: two and three instructions a turn. */
int vt_lab_inside_calibrate(double *ticks, struct vt_error *error)
{
    struct vt_scratch scratch = {0};
    const struct vt_case *nop = vt_guest_find_case("nop");
    const uint64_t turns = 2000;

    vt_lab_inside_say("@stage calibrating");
    double two = turn_ticks(nop->baseline, &scratch, turns * 2) - turn_ticks(nop->baseline, &scratch, turns);
    double three = turn_ticks(nop->body, &scratch, turns * 2) - turn_ticks(nop->body, &scratch, turns);
    *ticks = two / (2 * (double)turns);
    /* Bochs brings its counter up to date between traces of code: a loop may read some hundred ticks late. */
    if (*ticks > 0 && fabs(three / (double)turns - 3 * *ticks) < 0.05 * *ticks)
        return 0;
    return vt_error_set(
        error, VT_EXIT_ENVIRONMENT, 0,
        "this machine's time-stamp counter does not count instructions: a loop of two takes %.3f "
        "ticks a turn, one of three %.3f",
        two / (double)turns, three / (double)turns);
}
