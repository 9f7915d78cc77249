/*
 * A plugin of QEMU's: hands what one processor executes to lab/profile/follow.h. Nothing is instrumented
 * before the first batch.
 *
 *     begin=,end=,stubs=,low=,high=,deep=    as in struct vt_record_places
 *     out=FILE
 */
#include "lab/profile/follow.h"
#include "lab/profile/plugin/qemu.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PUBLIC __attribute__((visibility("default")))

/* In a block; the emulator's own bound is 512. */
enum { MOST_INSTRUCTIONS = 1024 };

struct plugin {
    uint64_t id;
    struct vt_record_places places;
    const char *out_file;
    bool copies;   /* qemu_plugin_insn_data does */
    bool pointers; /* a block comes first, and the plugin's pointer behind it */
    bool asked;
    struct vt_record *record;
    struct vt_follow *follow; /* from the first batch on */
    /* What the emulator adds to where a stretch begins, one of two ways. */
    uint64_t reached;
    struct qemu_plugin_scoreboard *score;
};

/* The emulator hands its callbacks for translation nothing of the plugin's. */
static struct plugin plugin;

/* Of these an emulator has one or the other. */
static void (*insn_adds)(struct qemu_plugin_insn *insn, enum qemu_plugin_op op, void *to, uint64_t number);
static void (*insn_adds_to_score)(struct qemu_plugin_insn *insn, enum qemu_plugin_op op,
                                  struct qemu_plugin_score to, uint64_t number);
static void *(*find_score)(struct qemu_plugin_scoreboard *score, unsigned vcpu);

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

static void begin(unsigned vcpu, void *data)
{
    (void)vcpu;
    vt_follow_begin(plugin.follow, data);
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
    vt_follow_pause(plugin.follow);
    if (plugin.asked)
        qemu_plugin_reset(plugin.id, wait_again, NULL);
}

/* Which memory an instruction lies in, where two machines have the same addresses. */
static uint64_t where(const struct qemu_plugin_insn *insn)
{
    enum { PAGE = 4096 };
    return plugin.places.deep ? (uint64_t)(uintptr_t)qemu_plugin_insn_haddr(insn) / PAGE : 0;
}

static const struct vt_instruction *know(const struct qemu_plugin_insn *insn)
{
    uint8_t bytes[16];
    uint64_t address = qemu_plugin_insn_vaddr(insn);
    size_t size = qemu_plugin_insn_size(insn);

    if (!plugin.copies) {
        const void *(*look)(const struct qemu_plugin_insn *) = (void *)qemu_plugin_insn_data;
        return vt_record_instruction_in(plugin.record, address, where(insn), look(insn), size);
    }
    size_t (*copy)(const struct qemu_plugin_insn *, void *, size_t) = (void *)qemu_plugin_insn_data;
    copy(insn, bytes, sizeof bytes);
    return vt_record_instruction_in(plugin.record, address, where(insn), bytes,
                                    size < sizeof bytes ? size : sizeof bytes);
}

/* A stretch begins with it, and not the block. */
static void watch(struct qemu_plugin_insn *insn)
{
    if (plugin.score)
        insn_adds_to_score(insn, QEMU_PLUGIN_INLINE_ADD_U64, (struct qemu_plugin_score){plugin.score, 0}, 1);
    else
        insn_adds(insn, QEMU_PLUGIN_INLINE_ADD_U64, &plugin.reached, 1);
}

/* One callback for all of it: the next one finds out how far it came. */
static void lay_out(struct qemu_plugin_tb *tb, const struct vt_block *block)
{
    size_t at = 0;

    qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_tb_get_insn(tb, 0), begin, QEMU_PLUGIN_CB_NO_REGS,
                                           (void *)block);
    for (size_t i = 1; i < block->count; i++)
        watch(qemu_plugin_tb_get_insn(tb, at += block->stretches[i - 1].count));
}

static void translate(uintptr_t first, uintptr_t second)
{
    struct qemu_plugin_tb *tb = block_of(first, second);
    const struct vt_instruction *known[MOST_INSTRUCTIONS];
    size_t count = qemu_plugin_tb_n_insns(tb);

    for (size_t i = 0; i < count && i < MOST_INSTRUCTIONS; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        known[i] = know(insn);
        if (!known[i])
            return;
        if (known[i]->flow == VT_FLOW_OVER)
            qemu_plugin_register_vcpu_insn_exec_cb(insn, stop, QEMU_PLUGIN_CB_NO_REGS, NULL);
    }
    const struct vt_block *block =
        count > 0 && count <= MOST_INSTRUCTIONS ? vt_follow_block(plugin.follow, known, count) : NULL;
    if (block)
        lay_out(tb, block);
}

/* What adds to a score does so for a processor that is there. */
static void start(uintptr_t first)
{
    (void)first;
    if (!plugin.follow)
        plugin.follow =
            vt_follow_open(plugin.record, plugin.score ? find_score(plugin.score, 0) : &plugin.reached);
    if (plugin.follow)
        qemu_plugin_register_vcpu_tb_trans_cb(plugin.id, translate, NULL);
}

static void ask(unsigned vcpu, void *data)
{
    (void)vcpu, (void)data;
    if (!plugin.asked)
        qemu_plugin_reset(plugin.id, start, NULL);
    plugin.asked = true;
}

/* Before the first batch nothing is of interest but where it begins. */
static void wait_for_batch(uintptr_t first, uintptr_t second)
{
    struct qemu_plugin_tb *tb = block_of(first, second);
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
    } keys[] = {{"begin=", &places->begin},
                {"end=", &places->end},
                {"stubs=", &places->stubs},
                {"low=", &places->low},
                {"high=", &places->high},
                {"deep=", &places->deep},
                {"out=", NULL}};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const char *value = argument + strlen(keys[i].key);
        if (strncmp(argument, keys[i].key, strlen(keys[i].key)) != 0)
            continue;
        if (keys[i].number)
            *keys[i].number = strtoull(value, NULL, 0);
        else
            plugin.out_file = strdup(value);
        return true;
    }
    return false;
}

static bool find_adding(void)
{
    insn_adds = dlsym(RTLD_DEFAULT, "qemu_plugin_register_vcpu_insn_exec_inline");
    insn_adds_to_score = dlsym(RTLD_DEFAULT, "qemu_plugin_register_vcpu_insn_exec_inline_per_vcpu");
    find_score = dlsym(RTLD_DEFAULT, "qemu_plugin_scoreboard_find");
    struct qemu_plugin_scoreboard *(*new_score)(size_t size) =
        dlsym(RTLD_DEFAULT, "qemu_plugin_scoreboard_new");
    if (!insn_adds && insn_adds_to_score && find_score && new_score)
        plugin.score = new_score(sizeof(uint64_t));
    return insn_adds || plugin.score;
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
    if (!find_adding()) {
        fprintf(stderr, "vmtoll's plugin: this emulator cannot count in what it translates\n");
        return -1;
    }
    FILE *out = plugin.out_file ? fopen(plugin.out_file, "ae") : NULL;
    plugin.record = out ? vt_record_open(&plugin.places, out) : NULL;
    if (!plugin.record) {
        perror("vmtoll's plugin");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, wait_for_batch, NULL);
    return 0;
}
