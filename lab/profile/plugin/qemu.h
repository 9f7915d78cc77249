/*
 * The part of QEMU's interface for TCG plugins that the plugin uses (QEMU docs/devel/tcg-plugins.rst). No
 * package has the header; the functions are the emulator's own.
 */
#ifndef VT_LAB_PROFILE_PLUGIN_QEMU_H
#define VT_LAB_PROFILE_PLUGIN_QEMU_H

#include <stddef.h>
#include <stdint.h>

struct qemu_plugin_tb;
struct qemu_plugin_insn;

/* What a callback looks at in registers. */
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };

/* The beginning of what it is. */
struct qemu_info {
    const char *target_name;
    struct {
        int min, cur;
    } version;
};

/* From this version of the interface on qemu_plugin_insn_data copies. */
#define QEMU_PLUGIN_COPIES 3

/* From this version on callbacks get the plugin's pointer, last, in place of its number, first. */
#define QEMU_PLUGIN_POINTERS 7

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, void (*callback)(uintptr_t first, uintptr_t second),
                                           void *data); /* before QEMU_PLUGIN_POINTERS without `data` */
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t index);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
void qemu_plugin_insn_data(void); /* const void *(insn), later size_t (insn, void *data, size_t size) */
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
                                            void (*callback)(unsigned vcpu, void *data),
                                            enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_reset(uint64_t id, void (*callback)(uintptr_t first), void *data); /* the same */

/* What the emulator looks for in a plugin. */
extern int qemu_plugin_version;
int qemu_plugin_install(uint64_t id, const struct qemu_info *info, int argc, char **argv);

#endif
