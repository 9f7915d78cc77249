#include "probes/outside/container.h"
#include "probes/live.h"
#include "probes/probe.h"
#include "probes/section.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

static void put_container(json_t *document)
{
    struct vt_container_facts facts;
    vt_container_read("", &facts);
    struct vt_container container = vt_container_judge(&facts);
    if (container.contained == VT_UNKNOWN)
        vt_document_unknown(document, "system.contained", container.why);
    else
        vt_document_put(document, "system.contained", json_boolean(container.contained == VT_YES),
                        container.why);
    if (*container.kind)
        vt_document_put(document, "system.container", json_string(container.kind), container.why);
    else
        vt_document_unknown(document, "system.container",
                            container.contained == VT_YES ? "its manager does not name itself"
                                                          : container.why);
}

static void put_microcode(json_t *document)
{
    char line[64];
    int number;
    if (vt_live_line("/sys/devices/system/cpu/cpu0/microcode/version", line, sizeof line, &number))
        vt_document_put(document, "system.microcode", json_string(line),
                        "/sys/devices/system/cpu/cpu0/microcode/version");
    else
        vt_document_unknown(document, "system.microcode",
                            "no /sys/devices/system/cpu/cpu0/microcode: the kernel has no microcode driver, "
                            "or this is a guest");
}

static void put_machine(json_t *document, const struct vt_facts *facts)
{
    char text[256];
    if (vt_surroundings_machine(&facts->surroundings, text, sizeof text))
        vt_document_put(document, "system.machine", json_string(text), "/sys/class/dmi/id");
    else
        vt_document_unknown(document, "system.machine", "there is no /sys/class/dmi/id");
}

static void put_hostname(json_t *document, const char *name)
{
    static const char *const anyone[] = {"", "(none)", "localhost", "localhost.localdomain"};
    for (size_t i = 0; i < sizeof anyone / sizeof anyone[0]; i++)
        if (strcmp(name, anyone[i]) == 0) {
            vt_document_unknown(document, "system.hostname", "this machine has no name of its own");
            return;
        }
    json_t *text = json_string(name); /* NULL: not UTF-8 */
    if (text)
        vt_document_put(document, "system.hostname", text, "uname");
    else
        vt_document_unknown(document, "system.hostname", "the name is not UTF-8");
}

void vt_probes_forget_name(json_t *probe)
{
    json_object_del(json_object_get(probe, "evidence"), "system.hostname");
    vt_document_unknown(probe, "system.hostname", "left out on request");
}

void vt_detect_system(json_t *document, const struct vt_facts *facts)
{
    static const char *const names[] = {"system.kernel",    "system.microcode", "system.container",
                                        "system.contained", "system.cpus",      "system.hostname",
                                        "system.machine"};
    struct utsname name;
    if (!facts->live) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            vt_document_unknown(document, names[i], "a CPUID dump does not tell");
        return;
    }
    if (uname(&name) == 0) {
        vt_document_put(document, "system.kernel", json_string(name.release), "uname");
        put_hostname(document, name.nodename);
    }
    vt_document_put(document, "system.cpus", json_integer(sysconf(_SC_NPROCESSORS_ONLN)), "sysconf");
    put_machine(document, facts);
    put_microcode(document);
    put_container(document);
}
