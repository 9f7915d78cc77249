/*
 * From opening /dev/kvm to the first exit the guest's own code caused: the start
 * of a machine, CPL 0 and CPL 3.
 */
#include "guest/abi.h"
#include "tests/bench/versus.h"
#include "vmm/vm.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define RUNS 50

static double start_once(int cpl, struct vt_error *error)
{
    struct vt_vm vm;
    double from = vt_versus_clock();
    int status = vt_vmm_open(&vm, error);

    if (status == 0)
        status = vt_vmm_start(&vm, cpl, VT_APIC_X2, vm.payload_entry, VT_GUEST_MAILBOX, error);
    if (status == 0 && (ioctl(vm.vcpu, KVM_RUN, 0) != 0 || vm.run->exit_reason != KVM_EXIT_IO))
        status = vt_error_set(error, VT_EXIT_NO, 0, "the guest did not reach its doorbell at CPL %d", cpl);
    double took = vt_versus_clock() - from;
    vt_vmm_close(&vm);
    return status == 0 ? took / 1e6 : -1;
}

int main(void)
{
    static double runs[RUNS];
    struct vt_error error;
    int worst = 0;

    for (int cpl = 0; cpl <= 3; cpl += 3) {
        for (size_t i = 0; i < RUNS; i++)
            if ((runs[i] = start_once(cpl, &error)) < 0) {
                puts(error.text);
                return 3;
            }
        double median = vt_versus_median(runs, RUNS);
        printf("first instruction at CPL %d: median %.3f ms, slowest of %d %.3f ms (median at most 3): %s\n",
               cpl, median, RUNS, runs[RUNS - 1], median <= 3 ? "kept" : "NOT KEPT");
        worst |= median > 3;
    }
    return worst;
}
