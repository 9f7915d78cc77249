#include "probes/kvm/module.h"
#include "probes/live.h"
#include "vmm/backend.h"

#include <dirent.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KVM_MINOR 232 /* <linux/miscdevice.h> */

/* Where distributions keep modules; the last is NixOS's. */
static const char *const folders[] = {"/lib/modules", "/usr/lib/modules",
                                      "/run/booted-system/kernel-modules/lib/modules"};

/* Too long a path is cut, and then not there. */
static void __attribute__((format(printf, 2, 3))) name_path(char path[PATH_MAX], const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(path, PATH_MAX, format, arguments);
    va_end(arguments);
}

static bool exists(const char *root, const char *folder, const char *name)
{
    char path[PATH_MAX];
    name_path(path, "%s%s%s", root, folder, name);
    return access(path, F_OK) == 0;
}

static void read_registered(const char *root, struct vt_kvm_module *module)
{
    module->minor = KVM_MINOR;
    int registered = vt_vmm_registered(root, &module->minor);
    module->registered = registered < 0 ? VT_UNKNOWN : registered ? VT_YES : VT_NO;
}

/* Names of files have hyphens where those of modules have underscores, or not: both mean the same. */
static bool is_name(const char *text, size_t length, const char *name)
{
    if (strlen(name) != length)
        return false;
    for (size_t i = 0; i < length; i++)
        if (text[i] != name[i] && !(text[i] == '-' && name[i] == '_'))
            return false;
    return true;
}

/* "kernel/arch/x86/kvm/kvm-intel.ko.xz" is kvm_intel. */
static bool is_file_of(const char *path, const char *name)
{
    const char *file = strrchr(path, '/');
    const char *dot = strstr(file = file ? file + 1 : path, ".ko");
    return dot && is_name(file, (size_t)(dot - file), name);
}

/* A line of modules.dep or modules.builtin (depmod(8)); the path is cut at its end. */
static bool find_line(const char *folder, const char *list, const char *name, char *path, size_t size)
{
    char from[PATH_MAX];
    bool found = false;
    name_path(from, "%s/%s", folder, list);
    FILE *file = fopen(from, "re");
    while (file && !found && fgets(path, (int)size, file)) {
        path[strcspn(path, ":\n")] = '\0';
        found = is_file_of(path, name);
    }
    if (file)
        fclose(file);
    return found;
}

static bool is_there(const char *folder, const char *name)
{
    static const char *const places[] = {"kernel/arch/x86/kvm", "updates", "extra"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        char path[PATH_MAX];
        name_path(path, "%s/%s", folder, places[i]);
        DIR *list = opendir(path);
        bool found = false;
        for (struct dirent *entry; list && !found && (entry = readdir(list));)
            found = is_file_of(entry->d_name, name);
        if (list)
            closedir(list);
        if (found)
            return true;
    }
    return false;
}

static enum vt_module_state look_into(const char *folder, const char *name)
{
    char line[PATH_MAX], path[PATH_MAX], kernel[PATH_MAX];
    if (find_line(folder, "modules.builtin", name, line, sizeof line))
        return VT_MODULE_BUILT_IN;
    if (is_there(folder, name))
        return VT_MODULE_THERE;
    if (find_line(folder, "modules.dep", name, line, sizeof line)) {
        name_path(path, "%s/%s", folder, line);
        return access(*line == '/' ? line : path, F_OK) == 0 ? VT_MODULE_THERE : VT_MODULE_LOST;
    }
    /* A removed package leaves the folder with what depmod wrote into it. */
    name_path(kernel, "%s/kernel", folder);
    return access(kernel, F_OK) == 0 ? VT_MODULE_ABSENT : VT_MODULE_REPLACED;
}

static bool has_modules(const char *folder)
{
    DIR *list = opendir(folder);
    bool any = false;
    for (struct dirent *entry; list && !any && (entry = readdir(list));)
        any = entry->d_name[0] != '.';
    if (list)
        closedir(list);
    return any;
}

/* What is no Linux tells by the file that it makes up. gVisor's kernel had one date for years. */
static const struct {
    const char *file, *mark, *player, *instead;
} players[] = {
    {"version", "gvisor", "gVisor, a kernel in user space",
     "run it outside of gVisor (docker run --runtime runc, a pod without its runtimeClassName)"},
    {"version", "4.4.0 #1 SMP Sun Jan 10 15:06:54 PST 2016", "gVisor, a kernel in user space",
     "run it outside of gVisor (docker run --runtime runc, a pod without its runtimeClassName)"},
    {"version", "-Microsoft", "WSL 1, Windows with Linux' system calls",
     "wsl --set-version NAME 2 in Windows: version 2 has a Linux kernel"},
    {"cpuinfo", "User Mode Linux", "User Mode Linux, a kernel in user space",
     "run it outside of User Mode Linux"},
};

static bool has_mark(const char *root, const char *file, const char *mark)
{
    char path[PATH_MAX], text[1024];
    name_path(path, "%s/proc/%s", root, file);
    FILE *stream = fopen(path, "re");
    size_t length = stream ? fread(text, 1, sizeof text - 1, stream) : 0;
    if (stream)
        fclose(stream);
    text[length] = '\0';
    return strstr(text, mark);
}

static bool read_player(const char *root, struct vt_kvm_module *module)
{
    for (size_t i = 0; i < sizeof players / sizeof players[0]; i++) {
        if (!has_mark(root, players[i].file, players[i].mark))
            continue;
        module->state = VT_MODULE_SANDBOX;
        module->player = players[i].player;
        module->instead = players[i].instead;
        return true;
    }
    return false;
}

static void read_state(const char *root, const char *release, struct vt_kvm_module *module)
{
    bool others = false;
    if (read_player(root, module))
        return;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        char folder[PATH_MAX];
        name_path(folder, "%s%s", root, folders[i]);
        others = others || has_modules(folder);
        name_path(folder, "%s%s/%s", root, folders[i], release);
        if (access(folder, F_OK) == 0) {
            module->state = look_into(folder, module->name);
            return;
        }
    }
    module->state = others ? VT_MODULE_REPLACED : VT_MODULE_UNSEEN;
    if (!others && exists(root, "/proc/", "misc") && !exists(root, "/proc/", "modules"))
        module->state = VT_MODULE_NO_LOADER;
}

static void __attribute__((format(printf, 3, 4)))
block(struct vt_kvm_module *module, const char *unblock, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(module->blocked, sizeof module->blocked, format, arguments);
    va_end(arguments);
    snprintf(module->unblock, sizeof module->unblock, "%s", unblock);
}

/* modprobe.d(5): "install NAME COMMAND" runs the command in place of loading; hardening guides name
 * /bin/false. */
static bool is_blocking(const char *line, const char *name)
{
    char word[3][64];
    if (sscanf(line, "%63s %63s %63s", word[0], word[1], word[2]) != 3 || strcmp(word[0], "install") != 0)
        return false;
    const char *command = strrchr(word[2], '/');
    command = command ? command + 1 : word[2];
    return (is_name(word[1], strlen(word[1]), name) || strcmp(word[1], "kvm") == 0) &&
           (strcmp(command, "false") == 0 || strcmp(command, "true") == 0 || strcmp(command, ":") == 0);
}

static bool read_setting(const char *root, const char *folder, const char *file, struct vt_kvm_module *module)
{
    char path[PATH_MAX], line[512];
    bool found = false;
    name_path(path, "%s%s/%s", root, folder, file);
    FILE *stream = fopen(path, "re");
    while (stream && !found && fgets(line, sizeof line, stream))
        found = is_blocking(line, module->name);
    if (stream)
        fclose(stream);
    if (found) {
        char unblock[128];
        snprintf(unblock, sizeof unblock, "remove its install line from %.80s", path + strlen(root));
        block(module, unblock, "%s/%s forbids to load it (an install line)", folder, file);
    }
    return found;
}

static bool read_settings(const char *root, struct vt_kvm_module *module)
{
    static const char *const places[] = {"/etc/modprobe.d", "/run/modprobe.d", "/usr/local/lib/modprobe.d",
                                         "/usr/lib/modprobe.d", "/lib/modprobe.d"};
    bool found = false;
    for (size_t i = 0; i < sizeof places / sizeof places[0] && !found; i++) {
        char path[PATH_MAX];
        name_path(path, "%s%s", root, places[i]);
        DIR *list = opendir(path);
        for (struct dirent *entry; list && !found && (entry = readdir(list));) {
            const char *ending = strrchr(entry->d_name, '.');
            found = ending && strcmp(ending, ".conf") == 0 &&
                    read_setting(root, places[i], entry->d_name, module);
        }
        if (list)
            closedir(list);
    }
    return found;
}

/* kernel-parameters.txt: module_blacklist=NAME,NAME; modprobe.blacklist= stops only what loads by itself. */
static bool is_blacklisted(const char *root, const char *name)
{
    static const char key[] = "module_blacklist=";
    char path[PATH_MAX], line[4096];
    int number;
    name_path(path, "%s/proc/cmdline", root);
    if (!vt_live_line(path, line, sizeof line, &number))
        return false;
    for (char *rest = line, *word; (word = strsep(&rest, " "));)
        for (char *list = strncmp(word, key, sizeof key - 1) == 0 ? word + sizeof key - 1 : NULL, *one;
             list && (one = strsep(&list, ","));)
            if (strcmp(one, name) == 0 || strcmp(one, "kvm") == 0)
                return true;
    return false;
}

static void read_blocked(const char *root, struct vt_kvm_module *module)
{
    char path[PATH_MAX], line[8];
    int number;
    name_path(path, "%s/proc/sys/kernel/modules_disabled", root);
    if (vt_live_line(path, line, sizeof line, &number) && *line == '1')
        block(module, "restart, and let it be loaded before that is set (/etc/modules-load.d)",
              "kernel.modules_disabled is 1: no module loads before the next restart");
    else if (is_blacklisted(root, module->name))
        block(module, "take it out of the kernel's command line and restart",
              "the kernel's command line forbids to load it (module_blacklist=)");
    else
        read_settings(root, module);
}

void vt_kvm_module_read(const char *root, const char *release, const char *name, struct vt_kvm_module *module)
{
    *module = (struct vt_kvm_module){0};
    snprintf(module->name, sizeof module->name, "%s", name);
    read_registered(root, module);
    module->loaded = exists(root, "/sys/module/", name);
    read_state(root, release, module);
    read_blocked(root, module);
}
