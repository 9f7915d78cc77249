#include "probes/facts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The rest of the first line that starts with `name` and blanks and a colon. */
static char *cpuinfo_line(const char *text, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        const char *colon = line + length;
        if (strncmp(line, name, length) != 0)
            continue;
        colon += strspn(colon, " \t");
        if (*colon == ':')
            return strndup(colon + 1, strcspn(colon + 1, "\n"));
    }
    return NULL;
}

void vt_facts_read_kernel(struct vt_facts *facts, const char *root)
{
    enum { ENOUGH = 16384 }; /* the first processor's paragraph */
    char text[ENOUGH + 1];
    vt_surroundings_read(&facts->surroundings, root);
    snprintf(text, sizeof text, "%s/proc/cpuinfo", root);
    int fd = open(text, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    ssize_t total = 0, length;
    while (total < ENOUGH && (length = read(fd, text + total, (size_t)(ENOUGH - total))) > 0)
        total += length;
    close(fd);
    text[total] = '\0';
    facts->flags = cpuinfo_line(text, "flags");
    facts->vmx_flags = cpuinfo_line(text, "vmx flags");
}
