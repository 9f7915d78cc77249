#include "audit/catalogue.h"
#include "audit/guest_view.h"
#include "audit/judge/judge.h"
#include "audit/prepare.h"

/* No system call and no hypercall has this number: all of them start at 0 and few reach 1000. */
#define UNUSED_CALL 0x7fff0000
/* Firmware's progress port: nothing depends on what is written there. */
#define DIAGNOSTIC_PORT 0x80

#define TRIAL(id, ...) extern const struct vt_audit_stub vt_audit_stub_##id;
#include "audit/trials.def"
#undef TRIAL
extern const struct vt_audit_stub vt_audit_stub_sldt_memory, vt_audit_stub_smsw_memory,
    vt_audit_stub_str_memory;

enum { EAX, EBX, ECX, EDX };
#define FEATURE(...) .feature = {__VA_ARGS__}
#define UMIP(memory) .assist = VT_AUDIT_UMIP, .witness = &vt_audit_stub_##memory
#define TRIAL(id, name, kind, result, manuals, ...)                                                          \
    {.instruction = name,                                                                                    \
     .group = VT_AUDIT_##kind,                                                                               \
     .stub = &vt_audit_stub_##id,                                                                            \
     .effect = result,                                                                                       \
     .reference = manuals,                                                                                   \
     ##__VA_ARGS__},
static const struct vt_audit_trial trials[] = {
#include "audit/trials.def"
};
#undef TRIAL

const struct vt_audit_trial *vt_audit_trials(size_t *count)
{
    *count = sizeof trials / sizeof trials[0];
    return trials;
}
