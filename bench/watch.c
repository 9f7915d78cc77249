#include "bench/watch.h"

#include <errno.h>
#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

enum { MOST_AREAS = 512, MOST_OBJECTS = 128, PAGE = 4096, GOT_RESERVED = 3 };

/* Beside what is declared thread-local lies what the C library keeps of a thread (glibc: struct pthread). */
#define THREAD_BYTES 4096

struct area {
    uintptr_t start, end, from; /* watched from `from` on */
    uint8_t *copy;
    bool is_stack;
    char name[40];
};

struct vt_watch {
    struct area areas[MOST_AREAS];
    size_t count;
    struct vt_own standing[MOST_OBJECTS], own[VT_OWN_MOST];
    size_t standing_count, own_count;
};

/* There where a program is built with what writes into static data or the heap by itself. */
void __asan_init(void) __attribute__((weak));
void __tsan_init(void) __attribute__((weak));
void __gcov_init(void *) __attribute__((weak));
void __llvm_profile_initialize(void) __attribute__((weak));

bool vt_watch_is_built_in(void)
{
    return !__asan_init && !__tsan_init && !__gcov_init && !__llvm_profile_initialize;
}

static void let_change(struct vt_watch *watch, uintptr_t start, size_t size)
{
    if (watch->standing_count < MOST_OBJECTS)
        watch->standing[watch->standing_count++] = (struct vt_own){(const void *)start, size};
}

/* A library's function that is called for the first time gets its address into a table then. */
static void let_bind(struct vt_watch *watch, uintptr_t base, const ElfW(Dyn) * dynamic)
{
    uintptr_t table = 0, relocations = 0;

    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        if (dynamic->d_tag == DT_PLTGOT)
            table = dynamic->d_un.d_ptr < base ? base + dynamic->d_un.d_ptr : dynamic->d_un.d_ptr;
        if (dynamic->d_tag == DT_PLTRELSZ)
            relocations = dynamic->d_un.d_val / sizeof(ElfW(Rela));
    }
    if (table && relocations)
        let_change(watch, table, (relocations + GOT_RESERVED) * sizeof(void *));
}

struct objects {
    struct vt_watch *watch;
    size_t thread_bytes;
};

/* The loader keeps account of it. */
static bool is_loader(const struct dl_phdr_info *object)
{
    return object->dlpi_addr != 0 && object->dlpi_addr == getauxval(AT_BASE);
}

static int visit_object(struct dl_phdr_info *object, size_t size, void *context)
{
    struct objects *objects = context;
    bool loader = is_loader(object);

    (void)size;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
        if (segment->p_type == PT_TLS)
            objects->thread_bytes += segment->p_memsz + segment->p_align;
        if (loader && segment->p_type == PT_LOAD && segment->p_flags & PF_W)
            let_change(objects->watch, object->dlpi_addr + segment->p_vaddr, segment->p_memsz + PAGE);
        if (segment->p_type == PT_DYNAMIC)
            let_bind(objects->watch, object->dlpi_addr,
                     (const ElfW(Dyn) *)(object->dlpi_addr + segment->p_vaddr));
    }
    return 0;
}

/* System V ABI, AMD64: thread-local storage lies below the thread pointer, %fs:0. */
static void let_thread_change(struct vt_watch *watch, size_t bytes)
{
    uintptr_t pointer;

    __asm__("mov %%fs:0, %0" : "=r"(pointer));
    let_change(watch, pointer - bytes - THREAD_BYTES, bytes + 2 * THREAD_BYTES);
}

static void add_area(struct vt_watch *watch, uintptr_t start, uintptr_t end, const char *name)
{
    const char *slash = strrchr(name, '/');

    if (watch->count == MOST_AREAS)
        return;
    struct area *area = &watch->areas[watch->count++];
    *area =
        (struct area){.start = start, .end = end, .from = start, .is_stack = strcmp(name, "[stack]") == 0};
    snprintf(area->name, sizeof area->name, "%.39s", *name == '\0' ? "memory" : slash ? slash + 1 : name);
}

/* proc(5), /proc/pid/maps */
static bool find_areas(struct vt_watch *watch)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];

    if (!maps)
        return false;
    while (fgets(line, sizeof line, maps)) {
        uintptr_t start, end;
        char rights[5], name[300] = "";
        if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %299[^\n]", &start, &end, rights, name) >= 3 &&
            strncmp(rights, "rw", 2) == 0 && rights[3] == 'p')
            add_area(watch, start, end, name);
    }
    fclose(maps);
    return true;
}

static void *map(size_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static bool make_copies(struct vt_watch *watch)
{
    for (size_t i = 0; i < watch->count; i++) {
        struct area *area = &watch->areas[i];
        area->copy = map(area->end - area->start);
        if (!area->copy)
            return false;
    }
    return true;
}

struct vt_watch *vt_watch_open(void)
{
    struct vt_watch *watch = vt_watch_is_built_in() ? map(sizeof *watch) : NULL;
    struct objects objects = {.watch = watch};

    if (!watch)
        return NULL;
    let_change(watch, (uintptr_t)watch, sizeof *watch);
    dl_iterate_phdr(visit_object, &objects);
    let_thread_change(watch, objects.thread_bytes);
    return find_areas(watch) && make_copies(watch) ? watch : NULL;
}

bool vt_watch_begin(struct vt_watch *watch, const struct vt_own *own, size_t count, const void *frame)
{
    if (count > VT_OWN_MOST)
        return false;
    watch->own_count = count;
    for (size_t i = 0; i < count; i++)
        watch->own[i] = (struct vt_own){
            own[i].start, own[i].size ? own[i].size : malloc_usable_size((void *)(uintptr_t)own[i].start)};
    for (size_t i = 0; i < watch->count; i++) {
        struct area *area = &watch->areas[i];
        if (area->is_stack && area->start <= (uintptr_t)frame && (uintptr_t)frame < area->end)
            area->from = (uintptr_t)frame;
        memcpy(area->copy + (area->from - area->start), (const void *)area->from, area->end - area->from);
    }
    return true;
}

static size_t rest_of(const struct vt_own *own, size_t count, uintptr_t at)
{
    for (size_t i = 0; i < count; i++)
        if (at - (uintptr_t)own[i].start < own[i].size)
            return (uintptr_t)own[i].start + own[i].size - at;
    return 0;
}

/* How far from `at` on memory may change; 0: it may not. */
static size_t may_change(const struct vt_watch *watch, uintptr_t at)
{
    size_t rest = rest_of(watch->own, watch->own_count, at);
    return rest ? rest : rest_of(watch->standing, watch->standing_count, at);
}

/* The first byte of the stretch that changed and may not; its end: none did. */
static uintptr_t find_change(const struct vt_watch *watch, const struct area *area, uintptr_t at,
                             uintptr_t end)
{
    while (at < end) {
        size_t step = may_change(watch, at);
        if (step == 0 && *(const uint8_t *)at != area->copy[at - area->start])
            return at;
        at += step ? (step < end - at ? step : end - at) : 1;
    }
    return end;
}

static bool area_holds(const struct vt_watch *watch, const struct area *area, char *found, size_t size)
{
    for (uintptr_t at = area->from, next; at < area->end; at = next) {
        next = (at | (PAGE - 1)) + 1;
        if (memcmp((const void *)at, area->copy + (at - area->start), next - at) == 0)
            continue;
        uintptr_t change = find_change(watch, area, at, next);
        if (change == next)
            continue;
        snprintf(found, size, "%s, address %#lx", area->name, change);
        return false;
    }
    return true;
}

bool vt_watch_holds(const struct vt_watch *watch, char *found, size_t size)
{
    for (size_t i = 0; i < watch->count; i++)
        if (!area_holds(watch, &watch->areas[i], found, size))
            return false;
    return true;
}
