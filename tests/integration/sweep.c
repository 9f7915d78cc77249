/*
 * Runs a command again and again, each time with another allocation refused (refuse.c), and says where the
 * outcome is neither that of an ordinary run nor status 3 with one line and nothing else.
 *
 *     sweep [-n] [-p FILTER] [-e] [-t] [-a] [-r] [-o NAME] [-x STATUS] [-f FIRST] [-s SPREAD]
 *           -l REFUSE.SO -w FOLDER COMMAND...
 *
 * Each of the FIRST allocations (1000), and SPREAD (200) of the others. The ordinary run ends with STATUS
 * (0). -n: numbers in the output may differ. -p: what FILTER, a command for the shell, makes of it,
 * of standard error and of the file is compared. -e: lines on standard error that the ordinary run has may
 * come before. -t: the command tells how far it is, so what an ordinary run prints first may stand before the
 * refusal. -a: all later allocations are refused too. -r: what goes wrong counts when it does so twice, where
 * other programs or the machine may fail by themselves. -o: the command writes NAME, in the folder it runs
 * in, which has the old content or the new one.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* An emulator that a lab starts counts for itself, and boots a kernel in it. */
enum { MOST_JOBS = 16, CPU_SECONDS = 60, SHOWN = 5 };

static const char old_content[] = "as before\n";

struct text {
    char *bytes;
    size_t length;
};

struct outcome {
    int status; /* of waitpid */
    struct text out, err, file;
    size_t files; /* in the folder it ran in */
};

struct sweep {
    bool numbers, warned, tells, all_later, again;
    const char *file, *library, *folder, *filter;
    char **command;
    unsigned long first, spread;
    int expected; /* status of the ordinary run */
    struct outcome right;
};

struct job {
    pid_t pid;
    unsigned long number;
};

static void die(const char *what)
{
    perror(what);
    exit(2);
}

/* NAME of the job that runs in `slot`, or in the folder it runs in. */
static const char *path_of(const struct sweep *sweep, int slot, const char *folder, const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%d%s%s", sweep->folder, slot, folder, name);
    return path;
}

static struct text read_stream(FILE *file)
{
    struct text text = {calloc(1, 1), 0};
    for (int c; file && (c = getc(file)) != EOF;) {
        if ((text.length & (text.length + 1)) == 0)
            text.bytes = realloc(text.bytes, 2 * text.length + 3);
        text.bytes[text.length++] = (char)c;
    }
    text.bytes[text.length] = '\0';
    return text;
}

static struct text read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    struct text text = read_stream(file);
    if (file)
        fclose(file);
    return text;
}

static struct text read_filtered(const char *path, const char *filter)
{
    char command[8192];
    snprintf(command, sizeof command, "{ %s\n} <'%s'", filter, path);
    FILE *file = popen(command, "r");
    struct text text = read_stream(file);
    if (!file || pclose(file) != 0)
        die(filter);
    return text;
}

/* Every number becomes '#', and what stands around it to fill a column one space. */
static void blur(struct text *text)
{
    size_t kept = 0;
    for (size_t i = 0; i < text->length;) {
        size_t end = i;
        while (isxdigit((unsigned char)text->bytes[end]) || (end > i && strchr("x.", text->bytes[end])))
            end++;
        bool number = end > i && strpbrk(text->bytes + i, "0123456789") < text->bytes + end &&
                      (i == 0 || !isalpha((unsigned char)text->bytes[i - 1]));
        if (text->bytes[i] == ' ' && kept && text->bytes[kept - 1] == ' ')
            i++;
        else if (number)
            text->bytes[kept++] = '#', i = end;
        else
            text->bytes[kept++] = text->bytes[i++];
    }
    text->bytes[kept] = '\0';
    text->length = kept;
}

static bool same(const struct text *a, const struct text *b)
{
    return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static void redirect(const char *path, int number)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0 || dup2(fd, number) < 0)
        die(path);
    close(fd);
}

static void write_old(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file || fputs(old_content, file) < 0 || fclose(file) != 0)
        die(path);
}

/* With its addresses fixed: a program that sees to that by starting again would be without the library. */
static void prepare(const struct sweep *sweep)
{
    const struct rlimit no_core = {0, 0}, limit = {CPU_SECONDS, CPU_SECONDS};
    int now = personality(0xffffffff);
    if (now != -1)
        personality((unsigned long)now | ADDR_NO_RANDOMIZE);
    setenv("LD_PRELOAD", sweep->library, 1);
    setrlimit(RLIMIT_CORE, &no_core);
    setrlimit(RLIMIT_CPU, &limit);
}

static pid_t start(const struct sweep *sweep, int slot, unsigned long number, bool counting)
{
    char text[32];
    if (mkdir(path_of(sweep, slot, ".run", ""), 0777) != 0 && errno != EEXIST)
        die("mkdir");
    if (sweep->file)
        write_old(path_of(sweep, slot, ".run/", sweep->file));
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    redirect(path_of(sweep, slot, ".out", ""), STDOUT_FILENO);
    redirect(path_of(sweep, slot, ".err", ""), STDERR_FILENO);
    if (counting)
        setenv("REFUSE_COUNT", path_of(sweep, slot, ".count", ""), 1);
    if (chdir(path_of(sweep, slot, ".run", "")) != 0)
        _exit(126);
    snprintf(text, sizeof text, "%lu%s", number, sweep->all_later && number ? "+" : "");
    setenv("REFUSE", text, 1);
    prepare(sweep);
    execvp(sweep->command[0], sweep->command);
    _exit(127);
}

static size_t found;

static int count_file(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)path, (void)status, (void)where;
    found += kind == FTW_F;
    return 0;
}

static struct text read_lasting(const struct sweep *sweep, const char *path)
{
    return sweep->filter ? read_filtered(path, sweep->filter) : read_file(path);
}

static struct outcome look(const struct sweep *sweep, int slot, int status)
{
    struct outcome outcome = {.status = status};
    outcome.out = read_lasting(sweep, path_of(sweep, slot, ".out", ""));
    outcome.err = read_lasting(sweep, path_of(sweep, slot, ".err", ""));
    outcome.file =
        read_lasting(sweep, sweep->file ? path_of(sweep, slot, ".run/", sweep->file) : "/dev/null");
    if (sweep->numbers)
        blur(&outcome.out), blur(&outcome.file);
    found = 0;
    nftw(path_of(sweep, slot, ".run", ""), count_file, 8, FTW_PHYS);
    outcome.files = found;
    return outcome;
}

static void forget(struct outcome *outcome)
{
    free(outcome->out.bytes);
    free(outcome->err.bytes);
    free(outcome->file.bytes);
}

static bool is_beginning(const struct text *whole, const struct text *of)
{
    return of->length <= whole->length && memcmp(of->bytes, whole->bytes, of->length) == 0;
}

/* One line that says so; with -e, whole lines of the ordinary run before it. */
static bool is_refusal(const struct sweep *sweep, const struct text *err)
{
    const char *last = memrchr(err->bytes, '\n', err->length ? err->length - 1 : 0);
    last = last ? last + 1 : err->bytes;
    size_t before = (size_t)(last - err->bytes);
    return err->length && err->bytes[err->length - 1] == '\n' && strncmp(last, "vmtoll: ", 8) == 0 &&
           strstr(last, "not enough memory") &&
           (before == 0 || (sweep->warned && before <= sweep->right.err.length &&
                            memcmp(err->bytes, sweep->right.err.bytes, before) == 0));
}

/* NULL where nothing is to be said against it. */
static const char *judge(const struct sweep *sweep, const struct outcome *o)
{
    const struct outcome *right = &sweep->right;
    const struct text before = {(char *)old_content, sizeof old_content - 1};
    if (WIFSIGNALED(o->status))
        return "a signal";
    if (sweep->tells ? o->files > right->files : o->files != right->files)
        return "files left behind";
    if (o->status == right->status)
        return !same(&o->out, &right->out)     ? "another output"
               : !same(&o->err, &right->err)   ? "other words on standard error"
               : !same(&o->file, &right->file) ? "another file"
                                               : NULL;
    if (WEXITSTATUS(o->status) != 3)
        return "another status";
    bool told = o->out.length && !(sweep->tells && is_beginning(&right->out, &o->out));
    return told                                      ? "output in spite of status 3"
           : !is_refusal(sweep, &o->err)             ? "not one line that says so"
           : sweep->file && !same(&o->file, &before) ? "a file in spite of status 3"
                                                     : NULL;
}

static void show(const struct sweep *sweep, unsigned long number, const char *what, const struct outcome *o)
{
    printf("# allocation %lu%s: %s (status %#x) %.*s\n", number, sweep->all_later ? " and later" : "", what,
           (unsigned)o->status, (int)strcspn(o->err.bytes, "\n"), o->err.bytes);
}

struct tally {
    unsigned long right, refused, wrong;
};

static void take(struct sweep *sweep, int slot, unsigned long number, int status, struct tally *tally)
{
    struct outcome outcome = look(sweep, slot, status);
    const char *what = judge(sweep, &outcome);
    if (what && sweep->again) {
        pid_t pid = start(sweep, slot, number, false);
        if (waitpid(pid, &status, 0) != pid)
            die("waitpid");
        forget(&outcome);
        outcome = look(sweep, slot, status);
        what = judge(sweep, &outcome);
    }
    if (what && tally->wrong++ < SHOWN)
        show(sweep, number, what, &outcome);
    else if (!what)
        *(outcome.status == sweep->right.status ? &tally->right : &tally->refused) += 1;
    forget(&outcome);
}

static void wait_for_one(struct sweep *sweep, struct job *jobs, int count, struct tally *tally)
{
    int status;
    pid_t pid = waitpid(-1, &status, 0);
    for (int i = 0; i < count; i++)
        if (jobs[i].pid == pid) {
            jobs[i].pid = 0;
            take(sweep, i + 1, jobs[i].number, status, tally);
        }
}

static int free_slot(const struct job *jobs, int count)
{
    for (int i = 0; i < count; i++)
        if (jobs[i].pid == 0)
            return i;
    return -1;
}

/* How many allocations an ordinary run makes; its outcome is the right one. */
static unsigned long measure(struct sweep *sweep)
{
    int status;
    unlink(path_of(sweep, 0, ".count", ""));
    pid_t pid = start(sweep, 0, 0, true);
    if (waitpid(pid, &status, 0) != pid)
        die("waitpid");
    sweep->right = look(sweep, 0, status);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != sweep->expected) {
        show(sweep, 0, "not how it ends with memory", &sweep->right);
        exit(2);
    }
    struct text count = read_file(path_of(sweep, 0, ".count", ""));
    unsigned long number = strtoul(count.bytes, NULL, 10);
    free(count.bytes);
    if (number == 0)
        die("no allocation was counted");
    return number;
}

static struct tally run(struct sweep *sweep, unsigned long total)
{
    struct tally tally = {0};
    struct job jobs[MOST_JOBS] = {{0}};
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    int count = online < 1 ? 1 : online > MOST_JOBS ? MOST_JOBS : (int)online;
    unsigned long first = sweep->first < total ? sweep->first : total, rest = total - first;
    unsigned long spread = sweep->spread < rest ? sweep->spread : rest, runs = first + spread;
    for (unsigned long i = 0; i < runs; i++) {
        int slot;
        while ((slot = free_slot(jobs, count)) < 0)
            wait_for_one(sweep, jobs, count, &tally);
        jobs[slot].number = i < first ? i + 1 : first + 1 + (i - first) * rest / spread;
        jobs[slot].pid = start(sweep, slot + 1, jobs[slot].number, false);
    }
    while (tally.right + tally.refused + tally.wrong < runs)
        wait_for_one(sweep, jobs, count, &tally);
    return tally;
}

int main(int argc, char **argv)
{
    struct sweep sweep = {.first = 1000, .spread = 200};
    for (int option; (option = getopt(argc, argv, "+np:etaro:x:f:s:l:w:")) != -1;)
        switch (option) {
        case 'n':
            sweep.numbers = true;
            break;
        case 'p':
            sweep.filter = optarg;
            break;
        case 't':
            sweep.tells = true;
            break;
        case 'e':
            sweep.warned = true;
            break;
        case 'a':
            sweep.all_later = true;
            break;
        case 'r':
            sweep.again = true;
            break;
        case 'o':
            sweep.file = optarg;
            break;
        case 'x':
            sweep.expected = atoi(optarg);
            break;
        case 'f':
            sweep.first = strtoul(optarg, NULL, 10);
            break;
        case 's':
            sweep.spread = strtoul(optarg, NULL, 10);
            break;
        case 'l':
            sweep.library = optarg;
            break;
        case 'w':
            sweep.folder = optarg;
            break;
        default:
            return 2;
        }
    sweep.command = argv + optind;
    if (!sweep.library || !sweep.folder || !*sweep.command)
        return 2;
    unsigned long total = measure(&sweep);
    struct tally tally = run(&sweep, total);
    printf("# of %lu allocations: right %lu, refused %lu, wrong %lu\n", total, tally.right, tally.refused,
           tally.wrong);
    if (tally.refused == 0 && total > SHOWN)
        printf("# no allocation was refused: is anything swept?\n");
    return tally.wrong || (tally.refused == 0 && total > SHOWN) ? 1 : 0;
}
