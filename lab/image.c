#include "lab/image.h"
#include "lab/road.h"
#include "base/memory.h"
#include "base/file.h"
#include "base/text.h"
#include "bench/select.h"
#include "base/statistics.h"
#include "guest/image/choice.h"
#include "lab/fetch/workspace.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PAIRS 101

/* Without a witness: one instruction that takes this many has been elsewhere; an exception that the guest
 * handles itself takes 20. */
#define CROSSED 100

struct collection {
    const struct vt_lab_image *image;
    struct vt_lab_outcome *outcome;
    const struct vt_case **cases; /* asked for, in the image's order */
    size_t count;
    size_t first; /* of `cases`: where the running emulator began */
};

/* Which of a case's rows: as it stands, in its form for Xen, or on a road. */
struct form {
    bool paravirtual;
    const struct vt_lab_road *road;
};

static const struct form plain = {false, NULL}, paravirtual = {true, NULL};
static const char plain_name[] = "plain";

static const struct vt_measurement *find_row(const struct collection *collection, const struct vt_case *c,
                                             const struct form *form)
{
    const char *engine = form->road ? form->road->engine : collection->image->engine;

    for (size_t i = 0; i < collection->outcome->count; i++) {
        const struct vt_measurement *m = &collection->outcome->measurements[i];
        if (m->c == c && strcmp(m->engine, engine) == 0 &&
            (form->road || (m->form != NULL) == form->paravirtual))
            return m;
    }
    return NULL;
}

/* Among the cases of the running emulator; SIZE_MAX: it was not asked for. */
static size_t find_case(const struct collection *collection, const struct vt_case *c)
{
    for (size_t i = collection->first; i < collection->count; i++)
        if (collection->cases[i] == c)
            return i;
    return SIZE_MAX;
}

static struct vt_measurement *add(struct vt_lab_outcome *outcome)
{
    struct vt_measurement *more = vt_memory_grow(outcome->measurements, outcome->count, 1, sizeof *more);
    if (!more)
        return NULL;
    outcome->measurements = more;
    more[outcome->count] = (struct vt_measurement){0};
    return &more[outcome->count++];
}

/* Of a road: a vector ("#13"), or the ticks of so many bare crossings; else a counter. */
static int take_word(struct vt_measurement *m, const char *name, unsigned long long body,
                     unsigned long long baseline)
{
    int counter = vt_counter_find(name);

    if (name[0] == '#') {
        vt_lab_road_note_vector(m, (unsigned)strtoul(name + 1, NULL, 10), (double)body, (double)baseline);
        return 0;
    }
    if (strcmp(name, "bare") == 0)
        return baseline && !m->bare ? vt_lab_road_take_bare(m, (double)body, (double)baseline) : -EPROTO;
    if (counter < 0)
        return -EPROTO;
    vt_counters_put(&m->body_counters, (enum vt_counter)counter, body);
    vt_counters_put(&m->baseline_counters, (enum vt_counter)counter, baseline);
    return 0;
}

/* ": exits 700 0 hypercalls ...": what the hypervisor's own trace holds of as many pairs, body and baseline.
 */
static int take_seen(struct vt_measurement *m, const char *text)
{
    char name[32];
    unsigned long long body, baseline;

    for (int used = 0; *text; text += used) {
        int status = sscanf(text, " %31s %llu %llu%n", name, &body, &baseline, &used) == 3
                         ? take_word(m, name, body, baseline)
                         : -EPROTO;
        if (status != 0)
            return status;
    }
    return 0;
}

/* "100 231 231 231 231": operations per batch, then ticks of body and baseline in turn. */
static int take_batches(struct vt_measurement *m, char *rest)
{
    double toll[MOST_PAIRS], work[MOST_PAIRS];
    unsigned long long iterations = strtoull(rest, &rest, 10);

    char *seen = strchr(rest, ':');
    if (seen)
        *seen++ = '\0';
    m->body = calloc(MOST_PAIRS, sizeof *m->body);
    m->baseline = calloc(MOST_PAIRS, sizeof *m->baseline);
    if (!m->body || !m->baseline)
        return -ENOMEM;
    for (char *end; m->batches < MOST_PAIRS && *rest; rest = end + strspn(end, " ")) {
        double body = (double)strtoull(rest, &rest, 10), baseline = (double)strtoull(rest, &end, 10);
        if (end == rest)
            return -EPROTO;
        m->body[m->batches] = body / (double)iterations;
        m->baseline[m->batches] = baseline / (double)iterations;
        toll[m->batches] = m->body[m->batches] - m->baseline[m->batches];
        m->batches++;
    }
    if (iterations == 0 || m->batches < VT_STATISTICS_MIN)
        return -EPROTO;
    m->iterations = iterations;
    m->toll = m->toll_cycles = vt_statistics_summarize(toll, m->batches, work);
    return seen ? take_seen(m, seen) : 0;
}

static void doubt(struct vt_measurement *m, double value, const char *text)
{
    m->status = VT_STATUS_UNVERIFIED;
    snprintf(m->reason, sizeof m->reason, "%.2f %s", value, text);
}

static bool is_one(double per_operation)
{
    return per_operation > 0.9 && per_operation < 1.1;
}

/* Interrupts of the machine's clock hit whoever runs. */
static void judge_seen(struct vt_measurement *m, bool calls)
{
    double hypercalls = vt_measurement_per_operation(m, VT_HYPERCALLS);

    m->exits_per_op =
        vt_measurement_per_operation(m, VT_EXITS) - vt_measurement_per_operation(m, VT_IRQ_EXITS);
    m->crossing = m->exits_per_op > 0.9          ? VT_CROSSING_EXIT_KERNEL
                  : fabs(m->exits_per_op) <= 0.1 ? VT_CROSSING_NONE
                                                 : VT_CROSSING_UNKNOWN;
    if (calls && m->crossing == VT_CROSSING_EXIT_KERNEL)
        m->crossing = VT_CROSSING_HYPERCALL;
    if (m->crossing == VT_CROSSING_UNKNOWN)
        doubt(m, m->exits_per_op, "exits per operation: neither one nor none");
    else if (calls && !is_one(hypercalls - (m->c->needs & VT_NEED_INTERRUPTS ? 1 : 0)))
        doubt(m, hypercalls,
              "hypercalls per operation: not one, and one more where its handler returns by one");
    else if (m->form && !m->form->calls && m->crossing != VT_CROSSING_NONE)
        doubt(m, m->exits_per_op, "exits per operation where shared memory needs none");
    if (vt_counters_has(&m->body_counters, VT_HONOURED) &&
        vt_measurement_per_operation(m, VT_HONOURED) < 0.9) {
        m->status = VT_STATUS_UNVERIFIED;
        snprintf(m->reason, sizeof m->reason, "Xen was not seen to honour it");
    }
}

/* No trace: the hypervisor's instructions are counted like all others, and their surplus tells. */
static void judge_length(struct vt_measurement *m, bool calls)
{
    bool crossed = m->toll.median >= CROSSED;

    m->crossing = !crossed ? VT_CROSSING_NONE : calls ? VT_CROSSING_HYPERCALL : VT_CROSSING_EXIT_KERNEL;
    snprintf(m->reason, sizeof m->reason,
             "Xen's trace is not open to its domain: whether it crossed is inferred from its length, %s %d "
             "instructions",
             crossed ? "at least" : "below", CROSSED);
}

static void judge(const struct vt_lab_image *image, struct vt_measurement *m, bool calls)
{
    bool work = m->c->class == VT_CLASS_COMPUTE || m->c->class == VT_CLASS_CONTROL;

    m->status = VT_STATUS_OK;
    m->crossing = VT_CROSSING_NONE;
    if (vt_counters_has(&m->body_counters, VT_EXITS))
        judge_seen(m, calls);
    else if (image->hypervisor && !work)
        judge_length(m, calls);
}

/* #UD: not there. #GP under a hypervisor: it looked at the instruction and would not do it. */
static int take_fault(const struct vt_lab_image *image, struct vt_measurement *m, const char *rest)
{
    uint64_t vector = strtoull(rest, NULL, 10);
    const char *why = vector == 6         ? "the instruction is not offered"
                      : vector != 13      ? NULL
                      : m->c->refusal     ? m->c->refusal
                      : image->hypervisor ? "Xen gives the fault back to the guest"
                                          : NULL;

    m->status = why ? VT_STATUS_UNSUPPORTED : VT_STATUS_FAILED;
    snprintf(m->reason, sizeof m->reason, "%s: %s", vt_guest_vector_name(vector), why ? why : "unexpected");
    return 0;
}

static int take_end(struct vt_measurement *m, const char *status, const char *rest)
{
    const struct vt_lab_road_end *end = vt_lab_road_find_end(status);

    if (!end)
        return -EPROTO;
    vt_lab_road_fail(m, end, strtoull(rest, NULL, 10));
    return 0;
}

static int fill(const struct collection *collection, struct vt_measurement *m, const struct form *form,
                const char *status, char *rest)
{
    if (strcmp(status, "unsupported") == 0) {
        m->status = VT_STATUS_UNSUPPORTED;
        snprintf(m->reason, sizeof m->reason, "%s", rest);
        vt_text_clean(m->reason, strlen(m->reason)); /* a character may have been cut */
        return 0;
    }
    if (strcmp(status, "fault") == 0)
        return take_fault(collection->image, m, rest);
    if (strcmp(status, "ok") != 0)
        return form->road ? take_end(m, status, rest) : -EPROTO;
    int result = take_batches(m, rest);
    if (result == 0 && form->road)
        vt_lab_road_judge(form->road, m);
    else if (result == 0)
        judge(collection->image, m, m->form ? m->form->calls : m->c->class == VT_CLASS_HYPERCALL);
    return result;
}

static struct vt_measurement begin_row(const struct vt_lab_image *image, const struct vt_case *c,
                                       const struct form *form)
{
    const struct vt_lab_road *road = form->road;

    return (struct vt_measurement){.c = c,
                                   .engine = road ? road->engine : image->engine,
                                   .form = form->paravirtual || (road && road->rows == VT_ROWS_FORMS)
                                               ? vt_guest_pv_form(c, VT_PV_XEN)
                                               : NULL,
                                   .path = form->paravirtual ? VT_PATH_PARAVIRTUAL
                                           : road            ? road->path
                                                             : image->path,
                                   .cpl = form->paravirtual ? 0
                                          : road            ? road->cpl
                                                            : image->cpl,
                                   .simulated = true,
                                   .exits_per_op = NAN,
                                   .tsc_khz = 1e6};
}

/* "plain", "paravirtual" where the case has such a form, or a road's engine. */
static bool find_form(const struct vt_case *c, const char *word, struct form *form)
{
    form->paravirtual = strcmp(word, "paravirtual") == 0;
    form->road = vt_lab_road_find(word);
    if (form->paravirtual)
        return vt_guest_has_row(c, VT_ROWS_FORMS);
    return form->road ? vt_guest_has_row(c, form->road->rows) : strcmp(word, plain_name) == 0;
}

/* "cpuid plain ok 100 ...": of a case that was asked for, each form once. */
static int take_row(void *context, char *line)
{
    struct collection *collection = context;
    char name[64], word[32], status[16];
    struct form form;
    int used = 0;

    if (sscanf(line, "%63s %31s %15s %n", name, word, status, &used) < 3)
        return -EPROTO;
    const struct vt_case *c = vt_guest_find_case(name);
    if (!c || !find_form(c, word, &form) || find_case(collection, c) == SIZE_MAX ||
        find_row(collection, c, &form))
        return -EPROTO;
    struct vt_measurement *m = add(collection->outcome);
    if (!m)
        return -ENOMEM;
    *m = begin_row(collection->image, c, &form);
    m->stop = VT_STOP_SAMPLES;
    return fill(collection, m, &form, status, line + used);
}

/* A bit for each, in the catalogue's order, as guest/image/choice.h reads them. */
static void print_choice(const struct vt_case *const *chosen, size_t count, char text[VT_LAB_IMAGE_CHOICE])
{
    static const char word[] = "cases=", digits[] = "0123456789abcdef";
    uint8_t bits[VT_IMAGE_CASES / 4] = {0};
    size_t all, length = sizeof word - 1;
    const struct vt_case *cases = vt_guest_cases(&all);

    for (size_t i = 0; i < count; i++)
        bits[(chosen[i] - cases) / 4] |= (uint8_t)(1 << (chosen[i] - cases) % 4);
    memcpy(text, word, length);
    for (size_t i = 0; i < (all + 3) / 4; i++)
        text[length++] = digits[bits[i]];
    text[length] = '\0';
}

int vt_lab_image_choice(const struct vt_lab_request *request, char text[VT_LAB_IMAGE_CHOICE],
                        struct vt_error *error)
{
    const struct vt_case **chosen;
    size_t count;

    *text = '\0';
    if (!request->cases)
        return 0;
    int status = vt_select_cases(request->cases, &chosen, &count, error);
    if (status != 0)
        return status;
    print_choice(chosen, count, text);
    free(chosen);
    return 0;
}

static int write_image(const struct vt_lab_image *image, const char *folder, struct vt_error *error)
{
    char *path = vt_workspace_path(folder, image->file);
    int status = path ? vt_file_write(path, image->start, (size_t)(image->end - image->start), error)
                      : vt_error_memory(error, "the image's path");
    free(path);
    return status;
}

/* "roads=monitor-vmx,monitor-vmx-kvm cases=0f" */
static int place(const struct vt_lab_image *image, const struct vt_emulator *emulator, const char *choice,
                 struct vt_error *error)
{
    char words[VT_LAB_IMAGE_ROADS + VT_LAB_IMAGE_CHOICE] = "";

    if (!image->place)
        return 0;
    for (const char *const *road = image->roads; road && *road; road++)
        vt_text_append(words, sizeof words, "%s%s", *words ? "," : "roads=", *road);
    vt_text_append(words, sizeof words, "%s%s", *words && *choice ? " " : "", choice);
    return image->place(emulator->folder, words, emulator->request, error);
}

static int run_once(struct collection *collection, struct vt_emulator *emulator, const char *choice,
                    const struct vt_case **running, struct vt_error *error)
{
    struct vt_lab_link link = {.row = take_row, .context = collection};
    struct vt_lab_outcome *outcome = collection->outcome;

    *running = NULL;
    emulator->end = VT_EMULATOR_REFUSED;
    int status = place(collection->image, emulator, choice, error);
    if (status != 0)
        return status;
    status = vt_emulator_run(emulator, &link, error);
    const char *hypervisor = vt_lab_link_fact(&link, "hypervisor");
    if (hypervisor)
        snprintf(outcome->hypervisor, sizeof outcome->hypervisor, "%s", hypervisor);
    *running = link.total ? vt_guest_find_case(link.name) : NULL;
    vt_lab_link_release(&link);
    return status;
}

static bool is_asked(const struct vt_lab_image *image, const char *road)
{
    const char *const *asked = image->roads;

    while (asked && *asked && strcmp(*asked, road) != 0)
        asked++;
    return !asked || *asked;
}

/* The first of a road, of those the image is asked for, whose row `c` lacks; plain: it lacks none. */
static struct form find_road(const struct collection *collection, const struct vt_case *c)
{
    size_t count;
    const struct vt_lab_road *roads = vt_lab_roads(&count);

    for (size_t i = 0; i < count; i++) {
        const struct form form = {false, &roads[i]};
        if (vt_guest_has_row(c, roads[i].rows) && is_asked(collection->image, roads[i].engine) &&
            !find_row(collection, c, &form))
            return form;
    }
    return plain;
}

/* The form that was running: the plain one comes first, then the one for Xen, or roads in their order. */
static struct form find_running(const struct collection *collection, const struct vt_case *c)
{
    if (is_asked(collection->image, plain_name) && !find_row(collection, c, &plain))
        return plain;
    if (collection->image->hypervisor)
        return vt_guest_pv_form(c, VT_PV_XEN) ? paravirtual : plain;
    return find_road(collection, c);
}

static int add_lost(struct collection *collection, const struct vt_emulator *emulator,
                    const struct vt_case *c)
{
    const struct form form = find_running(collection, c);
    struct vt_measurement *m = add(collection->outcome);

    if (!m)
        return -ENOMEM;
    *m = begin_row(collection->image, c, &form);
    m->status = vt_emulator_judge_lost(emulator, m->reason, sizeof m->reason);
    return 0;
}

/* The row that comes first of a case, whatever else comes. */
static bool has_first(const struct collection *collection, const struct vt_case *c)
{
    const char *first = collection->image->roads ? collection->image->roads[0] : plain_name;
    const struct form form = {false, vt_lab_road_find(first)};

    return find_row(collection, c, &form) != NULL;
}

/* That all is said does not mean that all was done. */
static int check_rows(const struct collection *collection, const struct vt_emulator *emulator,
                      struct vt_error *error)
{
    const struct vt_case *missing = NULL;
    size_t count = 0;

    for (size_t i = 0; i < collection->count; i++)
        if (!has_first(collection, collection->cases[i])) {
            missing = missing ? missing : collection->cases[i];
            count++;
        }
    if (!missing)
        return 0;
    return vt_error_set(error, VT_EXIT_ENVIRONMENT, EPROTO,
                        "lab %s: the machine says that it is done, without a row for %s%s", emulator->lab,
                        missing->name,
                        count > 1 ? " and others that were asked for" : ", which was asked for");
}

/* Until every case has a row: each run but the last costs the case that ended it. */
static int run_all(struct collection *collection, struct vt_emulator *emulator,
                   char choice[VT_LAB_IMAGE_CHOICE], struct vt_error *error)
{
    while (collection->first < collection->count) {
        const struct vt_case *running;
        int status = run_once(collection, emulator, choice, &running, error);
        size_t lost = running ? find_case(collection, running) : SIZE_MAX;

        if (status == 0)
            break;
        if (emulator->end == VT_EMULATOR_REFUSED || lost == SIZE_MAX)
            return status;
        if (add_lost(collection, emulator, running) != 0)
            return vt_error_memory(error, "the rows");
        emulator->before = collection->first = lost + 1;
        print_choice(collection->cases + lost + 1, collection->count - lost - 1, choice);
    }
    return check_rows(collection, emulator, error);
}

int vt_lab_image_run(const struct vt_lab_image *image, struct vt_emulator *emulator,
                     char choice[VT_LAB_IMAGE_CHOICE], struct vt_lab_outcome *outcome, struct vt_error *error)
{
    struct collection collection = {.image = image, .outcome = outcome};

    int status = vt_select_cases(emulator->request->cases, &collection.cases, &collection.count, error);
    if (status != 0)
        return status;
    emulator->cases = collection.count;
    status = write_image(image, emulator->folder, error);
    if (status == 0)
        status = run_all(&collection, emulator, choice, error);
    free(collection.cases);
    return status;
}
