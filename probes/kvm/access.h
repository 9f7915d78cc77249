/*
 * Why a device that is there may not be opened: by the class of its permission bits that this process falls
 * into, the mount, the device cgroup or a security module; and what would help in this place.
 */
#ifndef VT_PROBES_KVM_ACCESS_H
#define VT_PROBES_KVM_ACCESS_H

#include "probes/kvm/manager.h"
#include "probes/kvm/node.h"
#include "probes/process.h"
#include "vmm/obstacle.h"

/* Whose bits count (path_resolution(7), acl(5)). */
enum vt_access_class {
    VT_ACCESS_CAPABLE, /* nobody's: CAP_DAC_OVERRIDE */
    VT_ACCESS_OWNER,
    VT_ACCESS_NAMED, /* an entry of the access control list for this user */
    VT_ACCESS_GROUP,
    VT_ACCESS_OTHER
};

/* `bits`: 4 may read, 2 may write. Pure. */
enum vt_access_class vt_kvm_access(const struct vt_kvm_node *node, const struct vt_process *process,
                                   unsigned *bits);

/* Opening failed with `number`, EACCES or EPERM. `manager`: of the container it is in; NULL: in none. Pure.
 */
void vt_kvm_explain_access(const struct vt_kvm_node *node, const struct vt_process *process,
                           const struct vt_manager *manager, int number, struct vt_obstacle *obstacle);

#endif
