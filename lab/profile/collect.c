#include "lab/profile/collect.h"
#include "base/file.h"
#include "lab/profile/elf.h"
#include "lab/profile/page.h"
#include "lab/profile/symbols.h"

#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
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

/* Malloc'ed and the caller's; NULL: memory is out. */
static char *collect(size_t *length)
{
    char *text = NULL;
    FILE *stream = open_memstream(&text, length);

    if (!stream)
        return NULL;
    copy_kernel(stream);
    dl_iterate_phdr(add_object, stream);
    dl_iterate_phdr(add_own, stream);
    if (fclose(stream) == 0)
        return text;
    free(text);
    return NULL;
}

int vt_symbols_collect(unsigned char **packed, size_t *size)
{
    size_t length = 0;
    char *text = collect(&length);

    *packed = NULL;
    int status = text ? pack(text, length, packed, size) : -ENOMEM;
    free(text);
    return status;
}

/* The code is written anew each time: the emulator translates what was written to. */
static void execute(struct vt_page *page, const char *text, size_t size)
{
    static const uint8_t code[] = VT_PAGE_CODE;
    void (*function)(void);

    memcpy(page->text, text, size);
    page->size = (uint16_t)size;
    memcpy(page->code, code, sizeof code);
    memcpy(&function, &(void *){page}, sizeof function);
    __asm__ volatile("" : : : "memory");
    function();
}

size_t vt_symbols_hand_over(void)
{
    size_t length = 0;
    char *text = collect(&length);
    struct vt_page *page =
        mmap(NULL, VT_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (!text || page == MAP_FAILED)
        length = 0;
    for (size_t at = 0, size; at < length; at += size) {
        size = length - at < sizeof page->text ? length - at : sizeof page->text;
        execute(page, text + at, size);
    }
    free(text);
    if (page != MAP_FAILED)
        munmap(page, VT_PAGE);
    return length;
}
