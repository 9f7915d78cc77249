/* The life of a machine: its steps are the host's, and both twins are empty. */
#include "guest/cases/case.h"

STEP vm_create, "KVM_CREATE_VM"
STEP vm_memory, "KVM_SET_USER_MEMORY_REGION"
STEP vm_vcpu, "KVM_CREATE_VCPU"
STEP vm_first_run, "KVM_RUN"
STEP vm_destroy, "munmap, close"
