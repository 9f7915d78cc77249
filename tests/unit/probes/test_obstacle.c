/* Why KVM cannot be used: each cause is told from the others, and has its own fix. */
#include "probes/kvm_device.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <string.h>

static struct vt_kvm_obstacle obstacle;

/* A probe document with just these facts, by JSON text. */
static void explain_missing(const char *facts, bool loaded)
{
    json_t *document = json_loads(facts, 0, NULL);
    ck_assert_ptr_nonnull(document);
    vt_kvm_explain_missing(document, loaded, &obstacle);
    json_decref(document);
}

static void says(const char *code, const char *reason, const char *fix)
{
    ck_assert_str_eq(obstacle.code, code);
    ck_assert_msg(strstr(obstacle.reason, reason), "no '%s' in: %s", reason, obstacle.reason);
    ck_assert_msg(strstr(obstacle.fix, fix), "no '%s' in: %s", fix, obstacle.fix);
}

#define INTEL(enabled) "{\"vt_x\": {\"supported\": true, \"enabled\": " enabled "}}"

START_TEST(a_missing_device_has_many_causes)
{
    explain_missing("{\"system\": {\"container\": \"docker\"}}", true);
    says("no-device", "this docker container has no /dev/kvm", "--device /dev/kvm");
    explain_missing("{}", true);
    says("no-device", "a container or chroot?", "mknod /dev/kvm c 10 232");
    explain_missing("{\"hypervisor\": {\"present\": true, \"vendor\": \"VMware\"}}", false);
    says("hidden-by-hypervisor", "(VMware) does not pass", "nested virtualization");
    explain_missing("{\"hypervisor\": {\"present\": false}}", false);
    says("not-supported", "neither VT-x nor AMD-V", "another machine");
    explain_missing(INTEL("false"), false);
    says("firmware-disabled", "firmware switched", "Intel Virtualization Technology");
}
END_TEST

/* Whether the module's file is there depends on the machine; what is said fits either way. */
START_TEST(a_missing_module_is_named_after_the_vendor)
{
    explain_missing(INTEL("true"), false);
    ck_assert_ptr_nonnull(strstr(obstacle.reason, "kvm_intel"));
    explain_missing("{\"amd_v\": {\"supported\": true}}", false);
    ck_assert_ptr_nonnull(strstr(obstacle.reason, "kvm_amd"));
    ck_assert(strcmp(obstacle.code, "module-not-loaded") == 0 ||
              strcmp(obstacle.code, "kernel-without-kvm") == 0);
    ck_assert_str_ne(obstacle.fix, "");
}
END_TEST

START_TEST(a_device_that_does_not_open_has_a_cause_by_errno)
{
    json_t *document = json_object();

    vt_kvm_explain_open(document, EPERM, &obstacle);
    says("no-permission", "device rules", "--device /dev/kvm");
    vt_kvm_explain_open(document, ENODEV, &obstacle);
    says("no-driver", "no KVM module", "modprobe");
    vt_kvm_explain_open(document, EACCES, &obstacle);
    says("no-permission", "/dev/kvm", "");
    vt_kvm_explain_open(document, EMFILE, &obstacle);
    says("broken", strerror(EMFILE), "");
    json_decref(document);
}
END_TEST

START_TEST(a_call_that_fails_has_a_cause_by_errno)
{
    vt_kvm_explain_call("KVM_CREATE_VM", EBUSY, &obstacle);
    says("busy", "another hypervisor", "unload it");
    vt_kvm_explain_call("KVM_CREATE_VM", ENOTTY, &obstacle);
    says("not-kvm", "does not know KVM_CREATE_VM", "mknod");
    vt_kvm_explain_call("KVM_CREATE_VM", ENOMEM, &obstacle);
    says("broken", "not enough memory", "limit");
    vt_kvm_explain_call("KVM_CREATE_VCPU", EINVAL, &obstacle);
    says("broken", "KVM_CREATE_VCPU fails", "dmesg");
}
END_TEST

VT_SUITE(a_missing_device_has_many_causes, a_missing_module_is_named_after_the_vendor,
         a_device_that_does_not_open_has_a_cause_by_errno, a_call_that_fails_has_a_cause_by_errno)
