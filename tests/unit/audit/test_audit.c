#include "audit/audit.h"
#include "audit/catalogue.h"
#include "audit/judge/judge.h"
#include "audit/verdict.h"
#include "base/faulting.h"
#include "config.h"
#include "tests/unit/suite.h"

#include <Zydis/Zydis.h>
#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#if VT_HAVE_LIBSECCOMP
#include <seccomp.h>
#endif

static void run_audit(struct vt_audit *audit)
{
    struct vt_error error;
    int status = vt_audit_run(audit, &error);
    ck_assert_msg(status == 0, "%s", status ? error.text : "");
}

static const struct vt_audit_finding *find(const struct vt_audit *audit, const char *text)
{
    for (size_t i = 0; i < audit->finding_count; i++)
        if (strcmp(audit->findings[i].trial->stub->text, text) == 0)
            return &audit->findings[i];
    ck_abort_msg("no trial of %s", text);
    return NULL;
}

static bool same_word(const char *text, const char *name)
{
    for (; *name && *name != ' '; text++, name++)
        if (*text != tolower((unsigned char)*name))
            return false;
    return true;
}

static void check_stub(const struct vt_audit_stub *stub)
{
    ZydisDecoder decoder;
    ZydisDecodedInstruction instruction;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    bool wide = stub->mode == VT_AUDIT_64;
    ZydisDecoderInit(&decoder, wide ? ZYDIS_MACHINE_MODE_LONG_64 : ZYDIS_MACHINE_MODE_LONG_COMPAT_32,
                     wide ? ZYDIS_STACK_WIDTH_64 : ZYDIS_STACK_WIDTH_32);
    ck_assert_msg(
        ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, stub->code, stub->length, &instruction, operands)),
        "%s does not decode", stub->text);
    ck_assert_msg(instruction.length == stub->length, "%s: %u bytes, claimed %u", stub->text,
                  instruction.length, stub->length);
    const char *mnemonic = ZydisMnemonicGetString(instruction.mnemonic);
    ck_assert_msg(strncmp(stub->text, mnemonic, strlen(mnemonic)) == 0, "%s decodes as %s", stub->text,
                  mnemonic);
    bool transfer = strstr(stub->text, "fword") || strstr(stub->text, "ptr16") || strstr(stub->text, "retf");
    ck_assert_msg(transfer == (instruction.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR ||
                               (transfer && instruction.mnemonic == ZYDIS_MNEMONIC_RET)),
                  "%s: far or not", stub->text);
}

START_TEST(every_stub_is_the_instruction_it_claims)
{
    size_t count;
    const struct vt_audit_trial *trials = vt_audit_trials(&count);
    for (size_t i = 0; i < count; i++) {
        check_stub(trials[i].stub);
        ck_assert_msg(same_word(trials[i].stub->text, trials[i].instruction), "%s is listed as %s",
                      trials[i].stub->text, trials[i].instruction);
        if (trials[i].witness)
            check_stub(trials[i].witness);
    }
}
END_TEST

static size_t count_names(enum vt_audit_group group)
{
    size_t count, names = 0;
    const struct vt_audit_trial *trials = vt_audit_trials(&count);
    for (size_t i = 0; i < count; i++)
        names += trials[i].group == group &&
                 (i == 0 || strcmp(trials[i].instruction, trials[i - 1].instruction) != 0);
    return names;
}

START_TEST(robin_and_irvine_name_eighteen)
{
    ck_assert_uint_eq(count_names(VT_AUDIT_ROBIN_IRVINE), 18);
}
END_TEST

START_TEST(privileged_instructions_trap)
{
    struct vt_audit audit;
    run_audit(&audit);
    for (size_t i = 0; i < audit.finding_count; i++) {
        const struct vt_audit_finding *f = &audit.findings[i];
        if (f->trial->group == VT_AUDIT_PRIVILEGED)
            ck_assert_msg(f->outcome == VT_AUDIT_TRAPS || f->outcome == VT_AUDIT_ABSENT, "%s: %s, %s %s",
                          f->trial->stub->text, vt_audit_outcome_name(f->outcome), f->seen, f->note);
    }
    vt_audit_free(&audit);
}
END_TEST

static bool cpuinfo_has(const char *flag)
{
    char line[8192];
    bool found = false;
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && !found && fgets(line, sizeof line, file))
        if (strncmp(line, "flags", 5) == 0)
            for (char *word = strtok(line, " \t\n"); word && !found; word = strtok(NULL, " \t\n"))
                found = strcmp(word, flag) == 0;
    if (file)
        fclose(file);
    return found;
}

START_TEST(umip_is_found_where_the_kernel_lists_it)
{
    static const char *const covered[] = {"sgdt [rdi]", "sidt [rdi]", "sldt eax", "smsw rax", "str eax"};
    struct vt_audit audit;
    bool listed = cpuinfo_has("umip");
    run_audit(&audit);
    for (size_t i = 0; i < sizeof covered / sizeof covered[0]; i++) {
        enum vt_audit_outcome outcome = find(&audit, covered[i])->outcome;
        bool closed = outcome == VT_AUDIT_EMULATED || outcome == VT_AUDIT_TRAPS;
        ck_assert_msg(closed == listed, "%s: %s, while /proc/cpuinfo %s umip", covered[i],
                      vt_audit_outcome_name(outcome), listed ? "lists" : "does not list");
    }
    ck_assert_int_eq(audit.assists[VT_AUDIT_UMIP].state, listed ? VT_AUDIT_ON : VT_AUDIT_INACTIVE);
    vt_audit_free(&audit);
}
END_TEST

START_TEST(cpuid_faulting_is_found_where_the_kernel_lists_it)
{
    struct vt_audit audit;
    run_audit(&audit);
    enum vt_audit_state state = audit.assists[VT_AUDIT_CPUID_FAULTING].state;
    ck_assert_int_eq(state == VT_AUDIT_ON || state == VT_AUDIT_AVAILABLE, cpuinfo_has("cpuid_fault"));
    vt_audit_free(&audit);
}
END_TEST

static void execute_rdpid(void)
{
    __asm__ volatile(".byte 0xf3, 0x0f, 0xc7, 0xf8" : : : "rax"); /* rdpid rax */
}

static void execute_rdtscp(void)
{
    __asm__ volatile("rdtscp" : : : "rax", "rcx", "rdx");
}

static void execute_rdpkru(void)
{
    __asm__ volatile(".byte 0x0f, 0x01, 0xee" : : "c"(0) : "rax", "rdx");
}

static void execute_rdpru(void)
{
    __asm__ volatile(".byte 0x0f, 0x01, 0xfd" : : "c"(0) : "rax", "rdx");
}

/* A process of its own, which the kernel ends as it ends any. */
static bool is_undefined(void (*execute)(void))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        signal(SIGILL, SIG_DFL);
        execute();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGILL;
}

/* A hypervisor may hide from CPUID what the processor executes all the same. */
START_TEST(features_the_cpu_lacks_are_absent)
{
    static const struct {
        const char *text, *flag;
        void (*execute)(void);
    } rows[] = {{"rdpid rax", "rdpid", execute_rdpid},
                {"rdtscp", "rdtscp", execute_rdtscp},
                {"rdpkru", "ospke", execute_rdpkru},
                {"rdpru", "rdpru", execute_rdpru}};
    struct vt_audit audit;
    run_audit(&audit);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool absent = find(&audit, rows[i].text)->outcome == VT_AUDIT_ABSENT;

        ck_assert_msg(absent == is_undefined(rows[i].execute), "%s: %s", rows[i].text,
                      vt_audit_outcome_name(find(&audit, rows[i].text)->outcome));
        ck_assert_msg(!absent || !cpuinfo_has(rows[i].flag), "%s: absent, and in /proc/cpuinfo",
                      rows[i].text);
    }
    vt_audit_free(&audit);
}
END_TEST

START_TEST(values_are_those_this_process_sees)
{
    struct vt_audit audit;
    uint64_t cs, ss, flags;
    __asm__("mov %%cs, %0\n\tmov %%ss, %1\n\tpushfq\n\tpop %2" : "=r"(cs), "=r"(ss), "=r"(flags));
    run_audit(&audit);
    ck_assert_uint_eq(find(&audit, "mov eax, cs")->run.frame.out[VT_FRAME_RAX], cs);
    ck_assert_uint_eq(find(&audit, "mov eax, ss")->run.frame.out[VT_FRAME_RAX], ss);
    ck_assert_uint_eq(find(&audit, "pushfq")->run.stack[VT_AUDIT_STACK_TOP - 1] & 0x3200, flags & 0x3200);
    ck_assert_uint_eq(find(&audit, "popfq")->run.frame.out_rflags & 0x200, 0x200);
    vt_audit_free(&audit);
}
END_TEST

START_TEST(classic_holes_are_open_on_every_processor)
{
    static const char *const open[] = {"pushfq", "popfq", "lar eax, ecx", "lsl eax, ecx", "mov eax, cs"};
    struct vt_audit audit;
    run_audit(&audit);
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        ck_assert_msg(find(&audit, open[i])->outcome == VT_AUDIT_SILENT, "%s: %s", open[i],
                      vt_audit_outcome_name(find(&audit, open[i])->outcome));
    ck_assert_int_eq(audit.answer, VT_AUDIT_NO);
    vt_audit_free(&audit);
}
END_TEST

START_TEST(far_transfers_check_the_privilege_level)
{
    struct vt_audit audit;
    run_audit(&audit);
    const struct vt_audit_finding *call = find(&audit, "call fword ptr [rdi]");
    ck_assert_int_eq(call->outcome, VT_AUDIT_TRAPS);
    ck_assert_int_eq(call->run.trap, 13);
    ck_assert_uint_eq(call->run.error, 8);
    ck_assert_int_eq(call[1].outcome, VT_AUDIT_SILENT);
    vt_audit_free(&audit);
}
END_TEST

START_TEST(the_process_is_as_before)
{
    struct vt_audit audit;
    struct sigaction before, after;
    int mode = 0;
    int cpuid = vt_audit_assist_is_on(VT_AUDIT_CPUID_FAULTING);
    sigaction(SIGSEGV, NULL, &before);
    run_audit(&audit);
    vt_audit_free(&audit);
    sigaction(SIGSEGV, NULL, &after);
    ck_assert_ptr_eq((void *)(uintptr_t)before.sa_handler, (void *)(uintptr_t)after.sa_handler);
    ck_assert_int_eq(vt_audit_assist_is_on(VT_AUDIT_CPUID_FAULTING), cpuid);
    ck_assert_int_eq(prctl(PR_GET_TSC, &mode), 0);
    ck_assert_int_eq(mode, PR_TSC_ENABLE);
}
END_TEST

/* Its run time reads the clock and makes processes of its own, unasked. */
static void skip_under_address_sanitizer(void)
{
#ifdef __SANITIZE_ADDRESS__
    vt_skip("AddressSanitizer itself cannot live with that");
#endif
}

START_TEST(a_process_that_may_not_read_the_clock)
{
    struct vt_audit audit;
    skip_under_address_sanitizer();
    int faults = vt_faulting_try(VT_FAULTING_TSC);
    if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV) != 0)
        vt_skip("no PR_SET_TSC here");
    run_audit(&audit);
    prctl(PR_SET_TSC, PR_TSC_ENABLE);
    ck_assert_int_eq(find(&audit, "rdtsc")->outcome, faults ? VT_AUDIT_TRAPS : VT_AUDIT_SILENT);
    ck_assert_int_eq(audit.assists[VT_AUDIT_TSD].state, faults ? VT_AUDIT_ON : VT_AUDIT_REFUSED_HERE);
    vt_audit_free(&audit);
}
END_TEST

START_TEST(ignored_and_blocked_signals)
{
    struct vt_audit audit;
    sigset_t all;
    signal(SIGCHLD, SIG_IGN);
    signal(SIGSEGV, SIG_IGN);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    run_audit(&audit);
    ck_assert_int_eq(find(&audit, "hlt")->outcome, VT_AUDIT_TRAPS);
    ck_assert_int_eq(find(&audit, "pushfq")->outcome, VT_AUDIT_SILENT);
    vt_audit_free(&audit);
}
END_TEST

#if VT_HAVE_LIBSECCOMP
static void refuse(uint32_t action, const int *calls, size_t count)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    ck_assert_ptr_nonnull(filter);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(seccomp_rule_add(filter, action, calls[i], 0), 0);
    int status = seccomp_load(filter);
    seccomp_release(filter);
    if (status != 0)
        vt_skip("no seccomp filter can be set here: %s", strerror(-status));
}

START_TEST(a_sandbox_that_refuses_the_assists)
{
    static const int calls[] = {SCMP_SYS(arch_prctl), SCMP_SYS(prctl)};
    struct vt_audit audit;
    refuse(SCMP_ACT_ERRNO(EPERM), calls, 2);
    run_audit(&audit);
    ck_assert_int_eq(audit.assists[VT_AUDIT_CPUID_FAULTING].state, VT_AUDIT_REFUSED_HERE);
    ck_assert_int_eq(audit.assists[VT_AUDIT_TSD].state, VT_AUDIT_REFUSED_HERE);
    ck_assert_ptr_nonnull(strstr(audit.assists[VT_AUDIT_TSD].evidence, "seccomp"));
    ck_assert_int_eq(find(&audit, "hlt")->outcome, VT_AUDIT_TRAPS);
    ck_assert_int_eq(find(&audit, "pop fs")[1].outcome, VT_AUDIT_SILENT);
    vt_audit_free(&audit);
}
END_TEST

START_TEST(a_sandbox_that_refuses_processes)
{
    static const int calls[] = {SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(fork), SCMP_SYS(vfork)};
    struct vt_audit audit;
    struct vt_error error;
    skip_under_address_sanitizer();
    refuse(SCMP_ACT_ERRNO(EAGAIN), calls, 4);
    ck_assert_int_eq(vt_audit_run(&audit, &error), -EAGAIN);
    ck_assert_int_eq(error.exit, VT_EXIT_ENVIRONMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "cannot start a process"));
    ck_assert_ptr_null(audit.findings);
}
END_TEST

START_TEST(a_sandbox_that_kills)
{
    static const int calls[] = {SCMP_SYS(rt_sigaction)};
    struct vt_audit audit;
    struct vt_error error;
    skip_under_address_sanitizer();
    refuse(SCMP_ACT_KILL_PROCESS, calls, 1);
    ck_assert_int_lt(vt_audit_run(&audit, &error), 0);
    ck_assert_int_eq(error.exit, VT_EXIT_ENVIRONMENT);
    ck_assert_ptr_nonnull(strstr(error.text, "none of"));
}
END_TEST
#else
#define SKIPPED(name)                                                                                        \
    START_TEST(name)                                                                                         \
    {                                                                                                        \
        vt_skip("built without libseccomp");                                                                 \
    }                                                                                                        \
    END_TEST
SKIPPED(a_sandbox_that_refuses_the_assists)
SKIPPED(a_sandbox_that_refuses_processes)
SKIPPED(a_sandbox_that_kills)
#endif

static struct vt_audit_finding judged(const char *text, const struct vt_audit_run *run, bool absent)
{
    size_t count;
    const struct vt_audit_trial *trials = vt_audit_trials(&count);
    struct vt_audit_finding finding = {.run = *run};
    for (size_t i = 0; i < count && !finding.trial; i++)
        if (strcmp(trials[i].stub->text, text) == 0)
            finding.trial = &trials[i];
    ck_assert_ptr_nonnull(finding.trial);
    vt_audit_judge_end(&finding, 0x1000, absent);
    return finding;
}

START_TEST(a_store_by_the_cpu_is_silent)
{
    struct vt_audit_run run = {.end = VT_AUDIT_COMPLETED,
                               .memory = {0x7f, 0, 0, 0x10, 0, 0, 0, 0xfe, 0xff, 0xff}};
    struct vt_audit_finding finding = judged("sgdt [rdi]", &run, false);
    ck_assert_int_eq(finding.outcome, VT_AUDIT_SILENT);
    ck_assert_str_eq(finding.seen, "base 0xfffffe0000001000, limit 0x7f");
    ck_assert_str_eq(finding.expected, "base 0x18000, limit 0x57");
}
END_TEST

START_TEST(faults_are_told_apart)
{
    struct vt_audit_run protection = {.end = VT_AUDIT_FAULTED, .signal = SIGSEGV, .trap = 13, .rip = 0x1000};
    struct vt_audit_run opcode = {.end = VT_AUDIT_FAULTED, .signal = SIGILL, .trap = 6, .rip = 0x1000};
    struct vt_audit_run page = {
        .end = VT_AUDIT_FAULTED, .signal = SIGSEGV, .trap = 14, .error = 7, .rip = 0x1000};
    struct vt_audit_run elsewhere = {.end = VT_AUDIT_FAULTED, .signal = SIGSEGV, .trap = 13, .rip = 0x1003};
    struct vt_audit_run untold = {.end = VT_AUDIT_FAULTED, .signal = SIGILL, .trap = -1, .rip = 0x1000};
    ck_assert_int_eq(judged("sgdt [rdi]", &protection, false).outcome, VT_AUDIT_TRAPS);
    ck_assert_str_eq(judged("sgdt [rdi]", &protection, false).seen, "#GP(0), SIGSEGV");
    ck_assert_int_eq(judged("rdpid rax", &opcode, true).outcome, VT_AUDIT_ABSENT);
    ck_assert_int_eq(judged("rdpid rax", &opcode, false).outcome, VT_AUDIT_TRAPS);
    ck_assert_int_eq(judged("vmcall", &page, false).outcome, VT_AUDIT_UNKNOWN);
    ck_assert_int_eq(judged("hlt", &elsewhere, false).outcome, VT_AUDIT_UNKNOWN);
    ck_assert_int_eq(judged("hlt", &untold, false).outcome, VT_AUDIT_TRAPS);
    ck_assert_str_eq(judged("hlt", &untold, false).seen, "SIGILL");
}
END_TEST

START_TEST(what_did_not_come_back_is_unknown)
{
    struct vt_audit_run stuck = {.end = VT_AUDIT_STUCK, .signal = SIGALRM};
    struct vt_audit_run killed = {.end = VT_AUDIT_KILLED, .signal = SIGKILL};
    struct vt_audit_run lost = {.end = VT_AUDIT_LOST};
    struct vt_audit_run filtered = {.end = VT_AUDIT_FAULTED, .signal = SIGSYS};
    ck_assert_int_eq(judged("vmcall", &stuck, false).outcome, VT_AUDIT_UNKNOWN);
    ck_assert_ptr_nonnull(strstr(judged("vmcall", &stuck, false).note, "3 s"));
    ck_assert_ptr_nonnull(strstr(judged("vmcall", &killed, false).note, "SIGKILL"));
    ck_assert_int_eq(judged("vmcall", &lost, false).outcome, VT_AUDIT_UNKNOWN);
    ck_assert_int_eq(judged("int 0x80", &filtered, false).outcome, VT_AUDIT_SILENT);
}
END_TEST

START_TEST(equal_values_prove_nothing)
{
    struct vt_audit_run run = {.end = VT_AUDIT_COMPLETED, .frame.out[VT_FRAME_RAX] = 0x38};
    ck_assert_int_eq(judged("str eax", &run, false).outcome, VT_AUDIT_UNKNOWN);
}
END_TEST

static void pretend(struct vt_audit *audit, enum vt_audit_outcome classic, enum vt_audit_outcome rest)
{
    size_t count;
    const struct vt_audit_trial *trials = vt_audit_trials(&count);
    *audit = (struct vt_audit){.finding_count = count};
    audit->findings = calloc(count, sizeof *audit->findings);
    audit->instructions = calloc(count, sizeof *audit->instructions);
    for (size_t i = 0; i < count; i++) {
        audit->findings[i].trial = &trials[i];
        audit->findings[i].outcome = trials[i].group == VT_AUDIT_ROBIN_IRVINE ? classic : rest;
        audit->findings[i].assisted = audit->findings[i].outcome;
    }
    vt_audit_conclude(audit);
}

START_TEST(the_answer_follows_from_the_findings)
{
    static const struct {
        enum vt_audit_outcome classic, rest;
        enum vt_audit_answer answer;
        const char *text;
    } cases[] = {
        {VT_AUDIT_TRAPS, VT_AUDIT_TRAPS, VT_AUDIT_YES, "Yes: "},
        {VT_AUDIT_TRAPS, VT_AUDIT_ABSENT, VT_AUDIT_YES, "Yes: "},
        {VT_AUDIT_TRAPS, VT_AUDIT_UNKNOWN, VT_AUDIT_UNDECIDED, "Undecided: "},
        {VT_AUDIT_SILENT, VT_AUDIT_UNKNOWN, VT_AUDIT_NO, "18 of the 18"},
        {VT_AUDIT_SILENT, VT_AUDIT_UNKNOWN, VT_AUDIT_NO, "Not found out: CPUID, "},
        {VT_AUDIT_SILENT, VT_AUDIT_TRAPS, VT_AUDIT_NO,
         "UMIP is off; it would close SGDT, SIDT, SLDT, SMSW, STR."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct vt_audit audit;
        pretend(&audit, cases[i].classic, cases[i].rest);
        ck_assert_int_eq(audit.answer, cases[i].answer);
        ck_assert_msg(strstr(audit.verdict, cases[i].text) != NULL, "%s", audit.verdict);
        ck_assert_uint_lt(strlen(audit.verdict), sizeof audit.verdict - 1);
        vt_audit_free(&audit);
    }
}
END_TEST

START_TEST(the_document_says_the_same)
{
    struct vt_audit audit;
    run_audit(&audit);
    json_t *document = vt_audit_json(&audit);
    ck_assert_ptr_nonnull(document);
    ck_assert_str_eq(json_string_value(json_object_get(document, "schema")), VT_AUDIT_SCHEMA);
    json_t *verdict = json_object_get(document, "verdict");
    ck_assert(json_is_false(json_object_get(verdict, "classically_virtualizable")));
    ck_assert_str_eq(json_string_value(json_object_get(verdict, "text")), audit.verdict);
    ck_assert_uint_eq(json_array_size(json_object_get(document, "instructions")), audit.instruction_count);
    json_decref(document);
    vt_audit_free(&audit);
}
END_TEST

VT_SUITE(every_stub_is_the_instruction_it_claims, robin_and_irvine_name_eighteen,
         privileged_instructions_trap, umip_is_found_where_the_kernel_lists_it,
         cpuid_faulting_is_found_where_the_kernel_lists_it, features_the_cpu_lacks_are_absent,
         values_are_those_this_process_sees, classic_holes_are_open_on_every_processor,
         far_transfers_check_the_privilege_level, the_process_is_as_before,
         a_process_that_may_not_read_the_clock, ignored_and_blocked_signals,
         a_sandbox_that_refuses_the_assists, a_sandbox_that_refuses_processes, a_sandbox_that_kills,
         a_store_by_the_cpu_is_silent, faults_are_told_apart, what_did_not_come_back_is_unknown,
         equal_values_prove_nothing, the_answer_follows_from_the_findings, the_document_says_the_same)
