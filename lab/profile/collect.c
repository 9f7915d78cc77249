#include "lab/profile/collect.h"
#include "base/file.h"
#include "lab/profile/elf.h"
#include "lab/profile/symbols.h"

#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define OWN "vmtoll" /* module of this program's functions */

/* Data lies between functions only where nothing is executed: three quarters of the lines. */
static void copy_kernel(FILE *to)
{
    char line[512];
    FILE *from = fopen("/proc/kallsyms", "re");

    if (!from)
        return;
    while (fgets(line, sizeof line, from)) {
        const char *blank = strchr(line, ' ');
        if (blank && blank[1] && strchr("tTwW", blank[1]))
            fputs(line, to);
    }
    fclose(from);
}

/* A library is one function to us; behind its code nothing is known. */
static int add_object(struct dl_phdr_info *info, size_t size, void *context)
{
    FILE *to = context;
    const char *base = info->dlpi_name ? strrchr(info->dlpi_name, '/') : NULL;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
            continue;
        unsigned long start = info->dlpi_addr + segment->p_vaddr;
        fprintf(to, "%lx w %s [%s]\n", start, base ? base + 1 : OWN, OWN);
        fprintf(to, "%lx T  [%s]\n", (unsigned long)(start + segment->p_memsz), OWN);
    }
    return 0;
}

static int add_own(struct dl_phdr_info *info, size_t size, void *context)
{
    struct vt_error ignored;
    char *image = NULL;
    size_t length = 0;

    (void)size;
    if (vt_file_read("/proc/self/exe", (size_t)64 << 20, &image, &length, &ignored) == 0)
        vt_elf_functions(image, length, info->dlpi_addr, OWN, context);
    free(image);
    return 1;
}

char *vt_symbols_unpack(const char *packed, size_t size)
{
    uLongf length = VT_SYMBOLS_MOST;
    char *text = malloc(VT_SYMBOLS_MOST + 1);

    if (text && uncompress((Bytef *)text, &length, (const Bytef *)packed, size) == Z_OK) {
        text[length] = '\0';
        return text;
    }
    free(text);
    return NULL;
}

static int pack(const char *text, size_t length, unsigned char **packed, size_t *size)
{
    uLongf room = compressBound(length);

    *packed = malloc(room);
    if (!*packed || compress2(*packed, &room, (const Bytef *)text, length, Z_BEST_SPEED) != Z_OK)
        return -ENOMEM;
    *size = room;
    return 0;
}

int vt_symbols_collect(unsigned char **packed, size_t *size)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);

    *packed = NULL;
    if (!stream)
        return -ENOMEM;
    copy_kernel(stream);
    dl_iterate_phdr(add_object, stream);
    dl_iterate_phdr(add_own, stream);
    int status = fclose(stream) == 0 ? pack(text, length, packed, size) : -ENOMEM;
    free(text);
    return status;
}
