/* What a guest that is a hypervisor needs by its processor's vendor, behind nested.h, which says what each
 * does. */
#ifndef VT_BENCH_ENGINES_KVM_NESTED_KIND_H
#define VT_BENCH_ENGINES_KVM_NESTED_KIND_H

#include "base/error.h"
#include "guest/catalogue.h"
#include "vmm/vm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vt_kvm_nested_kind {
    uint64_t (*entry)(const struct vt_vm *vm, const struct vt_case *c);
    int (*set)(const struct vt_vm *vm, const struct vt_case *c, struct vt_scratch *scratch,
               struct vt_error *error);
    void (*forget)(const struct vt_vm *vm, const struct vt_case *c);
    bool (*check)(const struct vt_vm *vm, const struct vt_case *c, char *reason, size_t size);
    void (*tell)(const struct vt_vm *vm, char *text, size_t size);
};

extern const struct vt_kvm_nested_kind vt_kvm_nested_svm, vt_kvm_nested_vmx;

#endif
