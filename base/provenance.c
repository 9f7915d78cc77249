#include "base/provenance.h"
#include "base/unknown.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#if defined __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

static const char flags_used[] =
#include "base/flags.inc"
    ;

static void print_id(const unsigned char *bytes, size_t count, char *text, size_t size)
{
    for (size_t i = 0; i < count && 2 * i + 2 < size; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

static size_t padded(size_t size)
{
    return (size + 3) & ~(size_t)3;
}

/* Notes are aligned to 4 bytes in the segment that has the build id. */
static void find_note(const unsigned char *at, size_t size, struct vt_provenance *provenance)
{
    ElfW(Nhdr) note;
    while (size >= sizeof note) {
        memcpy(&note, at, sizeof note);
        size_t whole = sizeof note + padded(note.n_namesz) + padded(note.n_descsz);
        if (whole > size)
            return;
        if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && memcmp(at + sizeof note, "GNU", 4) == 0)
            print_id(at + sizeof note + 4, note.n_descsz, provenance->build_id, sizeof provenance->build_id);
        at += whole;
        size -= whole;
    }
}

/* The program itself comes first; what it is linked with does not matter. */
static int read_program(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        if (segment->p_type == PT_NOTE && segment->p_align <= 4)
            find_note((const unsigned char *)(info->dlpi_addr + segment->p_vaddr), segment->p_memsz, context);
    }
    return 1;
}

struct vt_provenance vt_provenance(void)
{
    struct vt_provenance provenance = {.compiler = COMPILER, .flags = flags_used};
    dl_iterate_phdr(read_program, &provenance);
    return provenance;
}

static bool begins(const char *word, size_t length, const char *with)
{
    return length >= strlen(with) && strncmp(word, with, strlen(with)) == 0;
}

static bool instruments(const char *word, size_t length)
{
    static const char *const starts[] = {
        "-fsanitize=",
        "-fsanitize-coverage",
        "--coverage",
        "-coverage",
        "-fprofile-arcs",
        "-fprofile-generate",
        "-fprofile-instr-generate",
        "-finstrument-functions",
        "-pg",
    };
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        if (begins(word, length, starts[i]))
            return true;
    return false;
}

const char *vt_provenance_burden(const char *flags, char *text, size_t size)
{
    bool optimized = false;
    const char *burden = NULL;
    for (const char *word = flags; word && *word; word += strspn(word, " ")) {
        size_t length = strcspn(word, " ");
        if (begins(word, length, "-O")) /* the last one holds */
            optimized = !begins(word, length, "-O0");
        if (!burden && instruments(word, length)) {
            snprintf(text, size, "with %.*s", (int)length, word);
            burden = text;
        }
        word += length;
    }
    if (!flags || optimized)
        return burden;
    snprintf(text, size, "without optimization");
    return text;
}
