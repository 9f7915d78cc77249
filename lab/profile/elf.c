#include "lab/profile/elf.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

struct table {
    const Elf64_Sym *symbols;
    size_t count;
    const char *names; /* terminated */
    size_t names_size;
};

static const void *at(const char *image, size_t size, uint64_t offset, uint64_t length)
{
    return offset <= size && length <= size - offset && offset % 8 == 0 ? image + offset : NULL;
}

static const Elf64_Shdr *sections_of(const char *image, size_t size, size_t *count)
{
    const Elf64_Ehdr *header = at(image, size, 0, sizeof *header);

    if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 || header->e_ident[EI_CLASS] != ELFCLASS64 ||
        header->e_shentsize != sizeof(Elf64_Shdr))
        return NULL;
    *count = header->e_shnum;
    return at(image, size, header->e_shoff, (uint64_t)*count * sizeof(Elf64_Shdr));
}

static bool find_table(const char *image, size_t size, struct table *table)
{
    size_t count = 0;
    const Elf64_Shdr *sections = sections_of(image, size, &count);

    for (size_t i = 0; sections && i < count; i++) {
        const Elf64_Shdr *section = &sections[i];
        if (section->sh_type != SHT_SYMTAB || section->sh_link >= count)
            continue;
        const Elf64_Shdr *names = &sections[section->sh_link];
        table->symbols = at(image, size, section->sh_offset, section->sh_size);
        table->count = section->sh_size / sizeof *table->symbols;
        table->names_size = names->sh_size;
        /* Texts need no alignment. */
        table->names = names->sh_offset <= size && names->sh_size <= size - names->sh_offset
                           ? image + names->sh_offset
                           : NULL;
        return table->symbols && table->names && table->names_size &&
               table->names[table->names_size - 1] == '\0';
    }
    return false;
}

void vt_elf_functions(const char *image, size_t size, uint64_t base, const char *module, FILE *to)
{
    struct table table;

    if (!find_table(image, size, &table))
        return;
    for (size_t i = 0; i < table.count; i++) {
        const Elf64_Sym *symbol = &table.symbols[i];
        unsigned long long address = base + symbol->st_value;
        if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_value &&
            symbol->st_name < table.names_size)
            fprintf(to, "%llx %c %s [%s]\n", address,
                    ELF64_ST_BIND(symbol->st_info) == STB_GLOBAL ? 'T' : 't', table.names + symbol->st_name,
                    module);
    }
}

uint64_t vt_elf_find(const char *image, size_t size, const char *name)
{
    struct table table;

    if (!find_table(image, size, &table))
        return 0;
    for (size_t i = 0; i < table.count; i++)
        if (table.symbols[i].st_name < table.names_size &&
            strcmp(table.names + table.symbols[i].st_name, name) == 0)
            return table.symbols[i].st_value;
    return 0;
}

void vt_elf_span(const char *image, size_t size, uint64_t *low, uint64_t *high)
{
    const Elf64_Ehdr *header = at(image, size, 0, sizeof *header);
    const Elf64_Phdr *segments =
        header ? at(image, size, header->e_phoff, (uint64_t)header->e_phnum * sizeof *segments) : NULL;

    *low = *high = 0;
    for (size_t i = 0; segments && i < header->e_phnum; i++) {
        const Elf64_Phdr *segment = &segments[i];
        if (segment->p_type != PT_LOAD)
            continue;
        *low = *high == 0 || segment->p_vaddr < *low ? segment->p_vaddr : *low;
        *high = segment->p_vaddr + segment->p_memsz > *high ? segment->p_vaddr + segment->p_memsz : *high;
    }
}
