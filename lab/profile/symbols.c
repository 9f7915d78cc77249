#include "lab/profile/symbols.h"
#include "base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS     8192
#define MOST_PROBES 64 /* names that share a bucket are few, unless somebody chose them */

#define CORE "kernel" /* module of what kallsyms names none for */

/* Linux' arch/x86/include/asm/idtentry.h and arch/x86/kvm/svm/svm.c, Xen's arch/x86/x86_64/entry.S. */
static const struct {
    const char *name;
    bool whole; /* not just its beginning */
    enum vt_entry entry;
} entries[] = {
    {"asm_sysvec_", false, VT_ENTRY_INTERRUPT},
    {"asm_common_interrupt", true, VT_ENTRY_INTERRUPT},
    {"asm_spurious_interrupt", true, VT_ENTRY_INTERRUPT},
    {"asm_exc_nmi", true, VT_ENTRY_INTERRUPT},
    {"irq_entries_start", true, VT_ENTRY_INTERRUPT},
    {"common_interrupt", true, VT_ENTRY_INTERRUPT},
    {"asm_exc_page_fault", true, VT_ENTRY_RESTARTED},
    {"asm_exc_divide_error", true, VT_ENTRY_RESTARTED},
    {"page_fault", true, VT_ENTRY_RESTARTED},
    {"divide_error", true, VT_ENTRY_RESTARTED},
    {"entry_PF", true, VT_ENTRY_RESTARTED},
    {"entry_DE", true, VT_ENTRY_RESTARTED},
    {"asm_exc_", false, VT_ENTRY_FAULT},
    {"interrupt_window_interception", true, VT_ENTRY_BETWEEN},
    {"svm_clear_vintr", true, VT_ENTRY_BETWEEN}, /* what it calls, where it was moved into its caller */
    {"intr_interception", true, VT_ENTRY_BETWEEN},
    {"nmi_interception", true, VT_ENTRY_BETWEEN},
    {"smi_interception", true, VT_ENTRY_BETWEEN},
};

static enum vt_entry entry_of(const char *name)
{
    for (size_t i = 0; i < sizeof entries / sizeof entries[0]; i++)
        if (entries[i].whole ? strcmp(name, entries[i].name) == 0
                             : strncmp(name, entries[i].name, strlen(entries[i].name)) == 0)
            return entries[i].entry;
    return VT_ENTRY_NONE;
}

static size_t count_lines(const char *text)
{
    size_t lines = 1;
    for (; (text = strchr(text, '\n')); text++)
        lines++;
    return lines;
}

/* Global names before weak ones before local ones. */
static uint8_t rank_of(char type)
{
    return isupper((unsigned char)type) ? type == 'W' : 2;
}

static bool is_text(char type)
{
    return type && strchr("tTwW", type);
}

/* Tools read names between blanks, and pages show them. */
static bool is_name(const char *name)
{
    for (const char *c = name; *c; c++)
        if (*c < 33 || *c > 126)
            return false;
    return strlen(name) < 200;
}

/* What a compiler moved out of a function is still it. */
static void join_cold(char *name)
{
    char *cold = strstr(name, ".cold");
    if (cold && cold > name)
        *cold = '\0';
}

static bool read_line(struct vt_symbol *symbol, char *line)
{
    char *end, *module;

    symbol->address = strtoull(line, &end, 16);
    if (end == line || *end != ' ' || !is_text(end[1]) || end[2] != ' ')
        return false;
    symbol->rank = rank_of(end[1]);
    char *name = end + 3;
    module = name + strcspn(name, " \t");
    if (*module) {
        *module++ = '\0';
        module += strspn(module, " \t[");
        module[strcspn(module, "] \t")] = '\0';
    }
    symbol->name = name;
    symbol->module = *module ? module : CORE;
    symbol->function = VT_SYMBOLS_NONE;
    if (!is_name(name) || !is_name(symbol->module))
        return false;
    join_cold(name);
    return true;
}

static int by_address(const void *left, const void *right)
{
    const struct vt_symbol *a = left, *b = right;

    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return a->rank != b->rank ? (int)a->rank - (int)b->rank : strcmp(a->name, b->name);
}

/* One symbol an address: the first of each. */
static void drop_aliases(struct vt_symbols *symbols)
{
    size_t kept = 0;
    for (size_t i = 0; i < symbols->count; i++)
        if (kept == 0 || symbols->all[kept - 1].address != symbols->all[i].address)
            symbols->all[kept++] = symbols->all[i];
    symbols->count = kept;
}

int vt_symbols_read(struct vt_symbols *symbols, char *text)
{
    *symbols = (struct vt_symbols){.text = text};
    symbols->all = calloc(count_lines(text), sizeof *symbols->all);
    symbols->buckets = malloc(BUCKETS * sizeof *symbols->buckets);
    if (!symbols->all || !symbols->buckets)
        return -ENOMEM;
    memset(symbols->buckets, 0xff, BUCKETS * sizeof *symbols->buckets);
    for (char *line; (line = strsep(&text, "\n"));)
        symbols->count += read_line(&symbols->all[symbols->count], line);
    if (symbols->count)
        qsort(symbols->all, symbols->count, sizeof *symbols->all, by_address);
    drop_aliases(symbols);
    return 0;
}

static uint32_t hash(uint32_t seed, const char *text)
{
    for (; *text; text++)
        seed = (seed ^ (unsigned char)*text) * 16777619u;
    return seed;
}

int32_t vt_symbols_add(struct vt_symbols *symbols, const char *name, const char *module)
{
    uint32_t slot = hash(hash(2166136261u, module), name) % BUCKETS;

    if (!symbols->buckets)
        return VT_SYMBOLS_NONE;
    /* Open addressing over few functions: a run uses some hundred of a kernel's. */
    size_t probes = 0;
    for (int32_t at; (at = symbols->buckets[slot]) != VT_SYMBOLS_NONE; slot = (slot + 1) % BUCKETS) {
        if (strcmp(symbols->functions[at].name, name) == 0 &&
            strcmp(symbols->functions[at].module, module) == 0)
            return at;
        if (++probes == MOST_PROBES)
            return VT_SYMBOLS_NONE;
    }
    struct vt_function *more = vt_memory_grow(symbols->functions, symbols->function_count, 1, sizeof *more);
    if (!more)
        return VT_SYMBOLS_NONE;
    symbols->functions = more;
    symbols->functions[symbols->function_count] = (struct vt_function){name, module, (uint8_t)entry_of(name)};
    symbols->buckets[slot] = (int32_t)symbols->function_count;
    return (int32_t)symbols->function_count++;
}

int32_t vt_symbols_find(struct vt_symbols *symbols, uint64_t address, uint64_t *start)
{
    size_t low = 0, high = symbols->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (symbols->all[middle].address <= address)
            low = middle + 1;
        else
            high = middle;
    }
    *start = address;
    if (low == 0 || symbols->all[low - 1].name[0] == '\0')
        return VT_SYMBOLS_NONE;
    struct vt_symbol *symbol = &symbols->all[low - 1];
    *start = symbol->address;
    if (symbol->function == VT_SYMBOLS_NONE)
        symbol->function = vt_symbols_add(symbols, symbol->name, symbol->module);
    return symbol->function;
}

void vt_symbols_release(struct vt_symbols *symbols)
{
    free(symbols->text);
    free(symbols->all);
    free(symbols->functions);
    free(symbols->buckets);
    *symbols = (struct vt_symbols){0};
}
