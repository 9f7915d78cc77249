#include "lab/emulator/bochs.h"
#include "base/file.h"
#include "lab/emulator/disc.h"
#include "lab/fetch/program.h"
#include "lab/fetch/workspace.h"
#include "lab/profile/debugger.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define EMULATOR  "Bochs x86 Emulator" /* its version follows */
#define AUTHORITY "authority"

const struct vt_bochs_model vt_bochs_amd[] = {{0, "zambezi"}, {0}},
                            vt_bochs_intel[] = {{0, "corei7_icelake_u"}, {0}};

/* The debug port's bytes come out on Bochs' standard output. */
static const char settings[] = "config_interface: textconfig\n"
                               "display_library: x\n"
                               "cpu: model=%s, count=%s, ips=%s000\n"
                               "memory: guest=512, host=512\n"
                               "romimage: file=/usr/share/bochs/BIOS-bochs-latest, options=fastboot\n"
                               "vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest\n"
                               "ata0-master: type=cdrom, path=" VT_DISC_FILE ", status=inserted\n"
                               "boot: cdrom\n"
                               "com1: enabled=1, mode=file, dev=console\n"
                               "port_e9_hack: enabled=1\n"
                               "clock: sync=none, time0=1767225600, rtc_sync=0\n"
                               "sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy\n"
                               "speaker: enabled=0\n"
                               "vga: realtime=0\n"
                               "mouse: enabled=0\n"
                               "log: bochs.log\n"
                               "panic: action=fatal\n"
                               "error: action=ignore\n"
                               "info: action=ignore\n";

/* Debian's Bochs has its debugger built in, and stops there first; a tap may have more to say to it. */
static const char unheeded[] = "c\n";

#define DEBUGGER "-debugger" /* since Bochs 3.0 it stops there only when it is told */

static const struct {
    const char *file, *package;
} needed_files[] = {
    {"/usr/lib/x86_64-linux-gnu/bochs/plugins/libbx_x_gui.so", "bochs-x"},
    {"/usr/share/bochs/BIOS-bochs-latest", "bochsbios"},
    {"/usr/share/bochs/VGABIOS-lgpl-latest", "vgabios"},
};

int vt_bochs_require(const struct vt_lab_request *request, struct vt_lab_outcome *outcome,
                     struct vt_error *error)
{
    char *text = NULL;
    int status = vt_program_require("bochs", "bochs bochsbios vgabios bochs-x", error);
    if (status == 0)
        status = vt_program_require("Xvfb", "xvfb", error);
    if (status == 0)
        status = vt_disc_require(error);
    for (size_t i = 0; status == 0 && i < sizeof needed_files / sizeof needed_files[0]; i++)
        if (access(needed_files[i].file, F_OK) != 0)
            status = vt_error_set(error, VT_EXIT_ENVIRONMENT, errno,
                                  "%s is missing: install it with: apt-get install %s", needed_files[i].file,
                                  needed_files[i].package);
    if (status != 0)
        return status;
    vt_program_run((char *[]){"bochs", "--help", "cpu", NULL}, NULL, &text, &request->stop);
    const char *name = text ? strstr(text, EMULATOR) : NULL;
    if (name)
        snprintf(outcome->emulator, sizeof outcome->emulator, "%.*s", (int)strcspn(name, "\n"), name);
    free(text);
    return 0;
}

static int write_file(const char *folder, const char *name, const char *text, struct vt_error *error)
{
    char *path = vt_workspace_path(folder, name);
    int status = path ? vt_file_write(path, text, strlen(text), error)
                      : vt_error_memory(error, "the path of Bochs' settings");
    free(path);
    return status;
}

/* Does it list the flag where it tells how it is called? */
static bool takes_flag(const char *flag, const struct vt_lab_request *request)
{
    char *usage = NULL;

    vt_program_run((char *[]){"bochs", "--help", NULL}, NULL, &usage, &request->stop);
    const char *found = usage ? strstr(usage, flag) : NULL;
    bool takes = found && found > usage && strchr(" \t\n", found[-1]) && strchr(" \t\n", found[strlen(flag)]);
    free(usage);
    return takes;
}

/* "Bochs x86 Emulator 3.0" */
static const char *choose_model(const struct vt_bochs_model *models, const char *emulator)
{
    const char *name = models[0].name;
    int version = 0;
    sscanf(emulator, EMULATOR " %d", &version);
    for (const struct vt_bochs_model *model = models; model->name; model++)
        if (version >= model->since)
            name = model->name;
    return name;
}

static int write_settings(const struct vt_bochs_pc *pc, const char *emulator,
                          const struct vt_lab_request *request, struct vt_error *error)
{
    char *text = NULL;
    int size = asprintf(&text, settings, choose_model(pc->models, emulator),
                        vt_lab_tuning_processors(&request->tuning).text, pc->khz);
    int status = size >= 0 ? write_file(pc->folder, "bochsrc", text, error)
                           : vt_error_memory(error, "Bochs' settings");
    if (size >= 0)
        free(text);
    return status;
}

/* Xsecurity(7): one entry, of any host and display; without it, every user of this machine might look and
 * type. */
static int write_authority(const char *folder, struct vt_error *error)
{
    static const char name[] = "MIT-MAGIC-COOKIE-1";
    enum { NAME = sizeof name - 1, COOKIE = 16 };
    struct __attribute__((packed)) {
        uint16_t family, address, number, name_length;
        char name[NAME];
        uint16_t cookie_length;
        char cookie[COOKIE];
    } entry = {.family = 0xffff, .name_length = htons(NAME), .cookie_length = htons(COOKIE)};
    memcpy(entry.name, name, NAME);
    if (getrandom(entry.cookie, COOKIE, 0) != COOKIE)
        return vt_error_set(error, VT_EXIT_ENVIRONMENT, errno, "no random numbers: %s", strerror(errno));
    char *path = vt_workspace_path(folder, AUTHORITY);
    mode_t mask = umask(077);
    int status = path ? vt_file_write(path, &entry, sizeof entry, error) : vt_error_memory(error, "a screen");
    umask(mask);
    free(path);
    return status;
}

/* Bochs draws a screen nobody looks at; its other ways to run without one do not start. */
static pid_t start_screen(const struct vt_bochs_pc *pc, const struct vt_lab_request *request,
                          char display[32], struct vt_error *error)
{
    char *const argv[] = {"Xvfb",      "-displayfd", "1",     "-screen", "0", "800x600x24",
                          "-nolisten", "tcp",        "-auth", AUTHORITY, NULL};
    int status = write_authority(pc->folder, error);
    if (status != 0)
        return status;
    char *path = vt_workspace_path(pc->folder, "screen");
    int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1, number = -1;
    pid_t pid = fd >= 0 ? vt_program_start(argv, pc->folder, fd) : -1;

    for (int turn = 0; pid > 0 && number < 0 && turn < 500 && vt_lab_stop_asked(&request->stop) == 0;
         turn++) {
        char text[4096] = "";
        ssize_t size = pread(fd, text, sizeof text - 1, 0);
        const char *line = size > 0 && text[size - 1] == '\n' ? vt_program_last_line(text) : "";
        if (sscanf(line, "%d", &number) != 1)
            number = -1;
        poll(NULL, 0, 20);
    }
    free(path);
    if (fd >= 0)
        close(fd);
    if (number >= 0) {
        snprintf(display, 32, "DISPLAY=:%d", number);
        return pid;
    }
    vt_program_end(pid);
    int why = vt_lab_stop_asked(&request->stop);
    if (why != 0)
        return vt_lab_stop_tell(&request->stop, why, error, "starting Xvfb");
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, 0, "lab %s: Xvfb does not start: try: Xvfb -displayfd 1",
                        pc->lab);
}

/* Bochs 3.1 asks whether to go on, in a window, where a processor halts that no interrupt wakes. */
static const struct vt_emulator_last_words last_words[] = {
    {">>PANIC<<", "the emulator itself panicked"},
    {"HLT instruction with IF=0!", "the machine halted with interrupts off"},
    {0},
};

/* Its 64-bit IDIV, as gcc since 15 compiles it, gives wrong quotients (docs/LAB.md). */
static const struct vt_emulator_last_words last_words_of_3_1[] = {
    {">>PANIC<<", "the emulator itself panicked"},
    {"HLT instruction with IF=0!",
     "the machine halted with interrupts off (Bochs 3.1 of Debian divides wrongly: "
     "install Bochs 3.0, docs/LAB.md tells how)"},
    {0},
};

int vt_bochs_boot(const struct vt_bochs_pc *pc, const struct vt_lab_request *request,
                  const struct vt_lab_outcome *outcome, const struct vt_bochs_use *use,
                  struct vt_error *error)
{
    char display[32];
    char *const debugger = pc->tap && takes_flag(DEBUGGER, request) ? DEBUGGER : NULL;
    char *const argv[] = {"env",     display, ("XAUTHORITY=" AUTHORITY), "bochs",  "-q", "-f",
                          "bochsrc", "-rc",   VT_DEBUGGER_COMMANDS,      debugger, NULL};
    struct vt_emulator emulator = {
        .lab = pc->lab,
        .argv = argv,
        .folder = pc->folder,
        .link_file = VT_EMULATOR_OUTPUT,
        .own_log = "bochs.log",
        .own_last = strstr(outcome->emulator, EMULATOR " 3.1") ? last_words_of_3_1 : last_words,
        .tap = pc->tap,
        .limit = pc->limit,
        .request = request,
    };

    int status = write_settings(pc, outcome->emulator, request, error);
    if (status == 0)
        status = write_file(pc->folder, VT_DEBUGGER_COMMANDS, unheeded, error);
    if (status != 0)
        return status;
    pid_t screen = start_screen(pc, request, display, error);
    if (screen < 0)
        return screen;
    status = use->run(use->context, &emulator, error);
    vt_program_end(screen);
    return status;
}
