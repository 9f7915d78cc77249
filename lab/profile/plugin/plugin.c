/*
 * A plugin of QEMU's: hands what one processor executes to lab/profile/record.h. Nothing is instrumented
 * before the first batch.
 *
 *     begin=,end=,stubs=,lost=,low=,high=,deep=    as in struct vt_record_places
 *     out=FILE                                     what is executed
 *     names=FILE                                   what the machine hands over in pages (lab/profile/page.h)
 */
#include "lab/profile/page.h"
#include "lab/profile/plugin/qemu.h"
#include "lab/profile/record.h"
#include "lab/profile/symbols.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUBLIC __attribute__((visibility("default")))

struct plugin {
    uint64_t id;
    struct vt_record_places places;
    const char *out_file, *names_file;
    FILE *names;
    size_t named;  /* bytes */
    bool copies;   /* qemu_plugin_insn_data does */
    bool pointers; /* a block comes first, and the plugin's pointer behind it */
    bool asked;
    struct vt_record *record;
};

/* The emulator hands its callbacks for translation nothing of the plugin's. */
static struct plugin plugin;

PUBLIC int qemu_plugin_version = 1;

/* An emulator refuses versions that it no longer knows, and those it does not yet know. */
static void __attribute__((constructor)) choose_version(void)
{
    if (dlsym(RTLD_DEFAULT, "qemu_plugin_register_vcpu_syscall_filter_cb"))
        qemu_plugin_version = QEMU_PLUGIN_POINTERS;
    else if (dlsym(RTLD_DEFAULT, "qemu_plugin_read_memory_vaddr"))
        qemu_plugin_version = 4;
    else if (!dlsym(RTLD_DEFAULT, "qemu_plugin_register_vcpu_insn_exec_inline"))
        qemu_plugin_version = 2;
}

static void execute(unsigned vcpu, void *data)
{
    (void)vcpu;
    vt_record_execute(plugin.record, data);
}

/* The block that a callback is about. */
static struct qemu_plugin_tb *block_of(uintptr_t first, uintptr_t second)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): one or the other is the pointer */
    return (struct qemu_plugin_tb *)(plugin.pointers ? first : second);
}

static void wait_for_batch(uintptr_t first, uintptr_t second);

static void wait_again(uintptr_t first)
{
    (void)first;
    plugin.asked = false;
    qemu_plugin_register_vcpu_tb_trans_cb(plugin.id, wait_for_batch, NULL);
}

/* What comes then need not be slow. */
static void stop(unsigned vcpu, void *data)
{
    (void)vcpu, (void)data;
    if (plugin.asked)
        qemu_plugin_reset(plugin.id, wait_again, NULL);
}

/* Which memory an instruction lies in, where two machines have the same addresses. */
static uint64_t where(const struct qemu_plugin_insn *insn)
{
    enum { PAGE = 4096 };
    return plugin.places.deep ? (uint64_t)(uintptr_t)qemu_plugin_insn_haddr(insn) / PAGE : 0;
}

#define LONGEST 16

/* Its bytes: the emulator's, or copied to `room`. */
static const uint8_t *bytes_of(const struct qemu_plugin_insn *insn, uint8_t room[LONGEST])
{
    if (!plugin.copies) {
        const void *(*look)(const struct qemu_plugin_insn *) = (void *)qemu_plugin_insn_data;
        return look(insn);
    }
    size_t (*copy)(const struct qemu_plugin_insn *, void *, size_t) = (void *)qemu_plugin_insn_data;
    copy(insn, room, LONGEST);
    return room;
}

static const struct vt_instruction *know(const struct qemu_plugin_insn *insn)
{
    uint8_t room[LONGEST];
    size_t size = qemu_plugin_insn_size(insn);

    return vt_record_instruction_in(plugin.record, qemu_plugin_insn_vaddr(insn), where(insn),
                                    bytes_of(insn, room), size < LONGEST ? size : LONGEST);
}

/* They live as long as the emulator. */
static struct vt_stretch *new_stretch(void)
{
    enum { BLOCK = 4096 };
    static struct vt_stretch *block;
    static size_t left;

    if (left == 0) {
        block = calloc(BLOCK, sizeof *block);
        left = block ? BLOCK : 0;
    }
    return left ? &block[BLOCK - left--] : NULL;
}

/* `insn` is the last of a stretch. */
static void watch(struct qemu_plugin_insn *insn, const struct vt_stretch *stretch)
{
    struct vt_stretch *kept = new_stretch();

    if (!kept)
        return;
    *kept = *stretch;
    qemu_plugin_register_vcpu_insn_exec_cb(insn, stretch->last->flow == VT_FLOW_OVER ? stop : execute,
                                           QEMU_PLUGIN_CB_NO_REGS, kept);
}

/* A callback for each instruction that may be the last one executed: a third of them cannot. */
static void translate(uintptr_t first, uintptr_t second)
{
    struct qemu_plugin_tb *tb = block_of(first, second);
    struct vt_stretch stretch = {.count = 0};
    struct qemu_plugin_insn *last = NULL;

    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        const struct vt_instruction *known = know(insn);
        if (!known)
            return;
        if (!vt_record_extend(&stretch, known)) {
            watch(last, &stretch);
            stretch.count = 0;
            vt_record_extend(&stretch, known);
        }
        last = insn;
    }
    if (last)
        watch(last, &stretch);
}

static void start(uintptr_t first)
{
    (void)first;
    qemu_plugin_register_vcpu_tb_trans_cb(plugin.id, translate, NULL);
}

static void ask(unsigned vcpu, void *data)
{
    (void)vcpu, (void)data;
    if (!plugin.asked)
        qemu_plugin_reset(plugin.id, start, NULL);
    plugin.asked = true;
}

/* What a page holds if `insn` is its first: of the machine's memory, which is not trusted. */
static void take_page(const struct qemu_plugin_insn *insn)
{
    static const uint8_t code[] = VT_PAGE_CODE;
    uint8_t room[LONGEST];

    if (qemu_plugin_insn_vaddr(insn) % VT_PAGE != 0 || qemu_plugin_insn_size(insn) != VT_PAGE_NOP ||
        memcmp(bytes_of(insn, room), code, VT_PAGE_NOP) != 0)
        return;
    const struct vt_page *page = qemu_plugin_insn_haddr(insn);
    size_t size = page ? *(const volatile uint16_t *)&page->size : 0; /* once: the machine can change it */
    if (size == 0 || !plugin.names || size > sizeof page->text || plugin.named + size > VT_SYMBOLS_MOST)
        return;
    plugin.named += fwrite(page->text, 1, size, plugin.names);
    fflush(plugin.names);
}

/* Before the first batch nothing is of interest but where it begins; behind the last one, what is handed
 * over. */
static void wait_for_batch(uintptr_t first, uintptr_t second)
{
    struct qemu_plugin_tb *tb = block_of(first, second);

    if (qemu_plugin_tb_n_insns(tb))
        take_page(qemu_plugin_tb_get_insn(tb, 0));
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        if (qemu_plugin_insn_vaddr(insn) != plugin.places.begin)
            continue;
        const struct vt_instruction *known = know(insn);
        if (known && known->flow == VT_FLOW_RDTSC)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, ask, QEMU_PLUGIN_CB_NO_REGS, NULL);
    }
}

static bool take_argument(char *argument)
{
    struct vt_record_places *places = &plugin.places;
    const struct {
        const char *key;
        uint64_t *number;
    } keys[] = {{"begin=", &places->begin}, {"end=", &places->end}, {"stubs=", &places->stubs},
                {"lost=", &places->lost},   {"low=", &places->low}, {"high=", &places->high},
                {"deep=", &places->deep}};
    const struct {
        const char *key;
        const char **file;
    } files[] = {{"out=", &plugin.out_file}, {"names=", &plugin.names_file}};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *value = argument + strlen(keys[i].key);
        if (strncmp(argument, keys[i].key, strlen(keys[i].key)) != 0)
            continue;
        *keys[i].number = strtoull(value, NULL, 0);
        return true;
    }
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (strncmp(argument, files[i].key, strlen(files[i].key)) == 0)
            return (*files[i].file = strdup(argument + strlen(files[i].key))) != NULL;
    return false;
}

PUBLIC int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv)
{
    plugin.id = id;
    plugin.copies = info->version.cur >= QEMU_PLUGIN_COPIES;
    plugin.pointers = info->version.cur >= QEMU_PLUGIN_POINTERS;
    for (int i = 0; i < argc; i++)
        if (!take_argument(argv[i])) {
            fprintf(stderr, "vmtoll's plugin: unknown argument %s\n", argv[i]);
            return -1;
        }
    FILE *out = plugin.out_file ? fopen(plugin.out_file, "ae") : NULL;
    plugin.names = plugin.names_file ? fopen(plugin.names_file, "ae") : NULL;
    plugin.record = out ? vt_record_open(&plugin.places, out) : NULL;
    if (!plugin.record) {
        perror("vmtoll's plugin");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, wait_for_batch, NULL);
    return 0;
}
