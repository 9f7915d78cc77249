#include "monitor/exit/svm.h"

#include "guest/abi.h"
#include "guest/image/place.h"
#include "guest/svm.h"
#include "monitor/exit/exits.h"
#include "monitor/hardware.h"
#include "monitor/pages.h"
#include "monitor/exit/svmexits.h"
#include "monitor/msr.h"

#include <cpuid.h>
#include <string.h>

#define MSR_EFER  0xc0000080
#define MSR_VM_CR 0xc0010114
#define VM_CR_OFF 0x10 /* SVMDIS */

#define CPUID_SVM UINT32_C(0x4)
#define CPUID_NP  UINT32_C(0x1)

#define PORT_MAP 0x3000
#define MSR_MAP  0x2000
#define ASID     1

/* A physical address, at which the block is mapped as well (pages.c). */
void vt_svm_enter(uint64_t vmcb);
void vt_svm_enter_bare(uint64_t vmcb);

static struct vt_vmcb vmcb __attribute__((aligned(4096)));
static uint8_t host_save[4096] __attribute__((aligned(4096)));
static uint8_t ports[PORT_MAP] __attribute__((aligned(4096)));
static uint8_t msrs[2][MSR_MAP] __attribute__((aligned(4096)));

/* CR reads and writes; DR; exceptions; two words of instructions and events (AMD APM 2, table B-1). */
static const uint32_t intercepts[][5] = {
    [VT_SVM_ALL] = {0xffffffff, 0xffffffff, 0, 0xbfc7ffef, 0x22ff},
    [VT_SVM_AS_KVM] = {0x01100010, 0, 0, 0xbd44802f, 0x227f},
};

/* MSRs that KVM lets a guest have: c0000081 to 84, c0000100 to 102, 174 to 176. */
static void allow(uint8_t *map, uint32_t msr)
{
    uint32_t bit = (msr & 0x1fff) * 2 + (msr >> 31 ? 0x800 * 8 : 0);

    map[bit / 8] &= (uint8_t) ~(3u << bit % 8);
}

static void make_maps(void)
{
    static const uint32_t allowed[] = {0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100,
                                       0xc0000101, 0xc0000102, 0x174,      0x175,      0x176};

    memset(ports, 0xff, sizeof ports);
    memset(msrs, 0xff, sizeof msrs);
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        allow(msrs[VT_SVM_AS_KVM], allowed[i]);
}

static const char *look(void)
{
    unsigned a, b, c = 0, d = 0;

    if (!__get_cpuid(0x80000001, &a, &b, &c, &d) || !(c & CPUID_SVM))
        return "the processor has no AMD-V";
    if (!__get_cpuid(0x8000000a, &a, &b, &c, &d) || !(d & CPUID_NP))
        return "the processor's AMD-V has no nested paging";
    return vt_msr_read(MSR_VM_CR) & VM_CR_OFF ? "AMD-V is switched off in VM_CR" : NULL;
}

const char *vt_svm_open(void)
{
    static bool opened;
    static const char *reason;

    if (opened)
        return reason;
    opened = true;
    reason = look();
    if (!reason) {
        make_maps();
        vt_pages_open_nested(0);
    }
    return reason;
}

static void fill(enum vt_svm_intercepts chosen)
{
    memset(&vmcb, 0, sizeof vmcb);
    memcpy(vmcb.intercepts, intercepts[chosen], sizeof intercepts[chosen]);
    vmcb.ports = vt_image_physical(ports);
    vmcb.msrs = vt_image_physical(msrs[chosen]);
    vmcb.asid = ASID;
    vmcb.tlb_control = 1;
    vmcb.nested_control = 1;
    vmcb.nested_cr3 = vt_pages_nested_root();
    vmcb.pat = vt_monitor.vcpu.msr[VT_MSR_PAT];
    vt_svmexits_begin(&vmcb);
}

static void enable(void)
{
    vt_msr_write(MSR_EFER, vt_msr_read(MSR_EFER) | VT_SVM_EFER_SVME);
    vt_msr_write(VT_SVM_HSAVE_MSR, vt_image_physical(host_save));
    __asm__ volatile("vmload %0" : : "a"(vt_image_physical(&vmcb)) : "memory");
}

static enum vt_monitor_end serve_all(void)
{
    enum vt_monitor_end end = 0;

    while (!end) {
        vt_svm_enter(vt_image_physical(&vmcb));
        vt_monitor.exits++;
        vmcb.tlb_control = 0;
        end = vt_exit_is_late() ? VT_MONITOR_TIMEOUT : vt_svmexits_serve(&vmcb);
    }
    return end;
}

static enum vt_monitor_end loop(void *context)
{
    (void)context;
    enable();
    return vt_exit_with_xcr0(serve_all);
}

static enum vt_monitor_end loop_bare(void *context)
{
    (void)context;
    enable();
    vt_svm_enter_bare(vt_image_physical(&vmcb));
    return vt_svmexits_serve(&vmcb);
}

static enum vt_monitor_end run(vt_case_function function, uint64_t iterations, enum vt_svm_intercepts chosen,
                               enum vt_monitor_end (*inside)(void *))
{
    vt_monitor_begin(function, iterations);
    fill(chosen);
    enum vt_monitor_end end = vt_hardware_run_inside(inside, NULL);
    vt_svmexits_end(&vmcb);
    return vt_monitor_finish(end);
}

enum vt_monitor_end vt_svm_run(vt_case_function function, uint64_t iterations, enum vt_svm_intercepts chosen)
{
    return run(function, iterations, chosen, loop);
}

enum vt_monitor_end vt_svm_run_bare(vt_case_function function, uint64_t iterations)
{
    return run(function, iterations, VT_SVM_AS_KVM, loop_bare);
}
