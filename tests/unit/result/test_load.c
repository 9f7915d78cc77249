/* Reading many documents: what is skipped unread, what follows a bad one, how a file is cut into parts. */
#include "result/load/load.h"
#include "tests/unit/suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DOCUMENT(name, more)                                                                                 \
    "{\"schema\":\"vmtoll.result/1\",\"measurements\":[{\"case\":\"" name                                    \
    "\",\"engine\":\"e\",\"status\":\"ok\"" more "}]}\n"

static const char *const no_facts[] = {NULL};

struct tally {
    size_t documents, complaints, rows;
    size_t lines[64];
    char last[512];
};

static int count(struct vt_result *result, void *context)
{
    struct tally *tally = context;
    if (tally->documents < 64)
        tally->lines[tally->documents] = result->line;
    tally->documents++;
    tally->rows += result->count;
    vt_result_free(result);
    return 0;
}

static int refuse(struct vt_result *result, void *context)
{
    vt_result_free(result);
    return *(const int *)context;
}

static void complain(const struct vt_error *error, void *context)
{
    struct tally *tally = context;
    tally->complaints++;
    snprintf(tally->last, sizeof tally->last, "%s", error->text);
}

static const struct vt_load_options patient = {.facts_only = no_facts, .complain = complain};

static int load(const char *text, const struct vt_load_options *options, struct tally *tally,
                struct vt_error *error)
{
    *tally = (struct tally){0};
    return vt_result_load_memory("x", text, strlen(text), options, count, tally, error);
}

static void write_file(char path[], const char *text, size_t size)
{
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
    close(fd);
}

START_TEST(lists_nobody_asked_for_are_judged_alike)
{
    static const struct {
        const char *list;
        bool good;
    } lists[] = {
        {"[]", true},
        {"[1]", true},
        {"[1,2]", true},
        {" [ 1 , -2.5 ,\n3e5 , 0 ] ", true},
        {"[1,2,3,4,0.5E-3,1.25e+2]", true},
        {"null", true},
        {"[1,,2]", false},
        {"[1,2,]", false},
        {"[1,2,3,,4]", false},
        {"[1,2,3 4]", false},
        {"[1,2,03]", false},
        {"[1,2,3.]", false},
        {"[1,2,-]", false},
        {"[1,2,3e]", false},
        {"[1,2,.5]", false},
        {"[1,2,+5]", false},
        {"[1,2,NaN]", false},
        {"[1,2,Infinity]", false},
        {"[1,2,null]", false},
        {"[1,2,\"3\"]", false},
        {"[1,2,[3]]", false},
        {"[1,2,{}]", false},
        {"[1,2,3}", false},
        {"[1,2,3", false},
        {"[1,2,3,", false},
        {"{\"samples\":[1,2,3,4]}", false},
        {"\"[1,2,3,4]\"", false},
        {"[1,2,3],\"samples\":[1,2,3]", false},
        {"[1,2,3],\"reason\":\"\\\"samples\\\":[1,,2\"", true},
    };
    static const struct vt_load_options wanting = {.samples = true};
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        char text[512];
        struct tally tally;
        struct vt_error error = {.text = ""};
        snprintf(text, sizeof text, DOCUMENT("c", ",\"samples\":%s"), lists[i].list);
        ck_assert_msg((load(text, &wanting, &tally, &error) == 0) == lists[i].good, "kept %s: %s",
                      lists[i].list, error.text);
        ck_assert_msg((load(text, &patient, &tally, &error) == 0) == lists[i].good, "dropped %s: %s",
                      lists[i].list, error.text);
    }
}
END_TEST

START_TEST(containers_nobody_asked_for_are_judged_alike)
{
    static const struct {
        const char *container;
        bool good;
    } containers[] = {
        {"{}", true},
        {"[]", true},
        {"{\"a\":1}", true},
        {" { \"a\" : [ 1 , {\"b\":null} , [ ] , true ] ,\n\"c\":false }", true},
        {"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\", \"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]", true},
        {"[\"a long enough text, {with} [brackets] in it, and no end of it\"]", true},
        {"[[[[[[[[]]]]]]]]", true},
        {"[-1.5e-7,0,{\"a\":{}}]", true},
        {"{,}", false},
        {"{\"a\"}", false},
        {"{\"a\":}", false},
        {"{\"a\":1,}", false},
        {"{\"a\":1 \"b\":2}", false},
        {"{a:1}", false},
        {"{\"a\":[}", false},
        {"{\"a\":1]", false},
        {"[1}", false},
        {"[1,]", false},
        {"[,1]", false},
        {"[1 2]", false},
        {"[tru]", false},
        {"[nulL]", false},
        {"[NaN]", false},
        {"[01]", false},
        {"[-]", false},
        {"[\"\\x\"]", false},
        {"[\"\\u12g4\"]", false},
        {"[\"tab\there, in a text that is long enough\"]", false},
        {"[\"\xff\"]", false},
        {"[\"\xc3\"]", false},
        {"[\"\xe2\x82\"]", false},
        {"[\"open]", false},
        {"[[[[1]]]", false},
    };
    static const struct vt_load_options wanting = {.samples = true};
    for (size_t i = 0; i < sizeof containers / sizeof containers[0]; i++) {
        char text[512];
        struct tally tally;
        struct vt_error error = {.text = ""};
        snprintf(text, sizeof text,
                 "{\"schema\":\"vmtoll.result/1\",\"host\":{\"x\":%s},\"measurements\":[]}",
                 containers[i].container);
        ck_assert_msg((load(text, &wanting, &tally, &error) == 0) == containers[i].good, "kept %s: %s",
                      containers[i].container, error.text);
        ck_assert_msg((load(text, &patient, &tally, &error) == 0) == containers[i].good, "dropped %s: %s",
                      containers[i].container, error.text);
    }
}
END_TEST

/* The window through which a file is read ends anywhere in a list, also inside a number. */
START_TEST(long_lists_cross_the_window)
{
    enum { NUMBERS = 60000 };
    static char text[NUMBERS * 10 + 512];
    for (int bad = 0; bad < 2; bad++) {
        char path[] = "/tmp/vmtoll-load-XXXXXX";
        struct tally tally = {0};
        struct vt_error error = {.text = ""};
        size_t used =
            (size_t)sprintf(text, "{\"schema\":\"vmtoll.result/1\",\"measurements\":[{\"case\":\"c\","
                                  "\"engine\":\"e\",\"status\":\"ok\",\"samples_body\" : [7");
        for (int i = 0; i < NUMBERS; i++)
            used += (size_t)sprintf(text + used, ",%s%d.%d", i % 7 ? "" : "\n ", i, i % 1000);
        used += (size_t)sprintf(text + used, "%s],\"batches\":-1}]}", bad ? ",oops" : "");
        write_file(path, text, used);
        ck_assert_int_ne(vt_result_load(path, &patient, count, &tally, &error), 0);
        ck_assert_msg(strstr(error.text, bad ? "expected a result document in JSON" : "batches: expected"),
                      "%s", error.text);
        int lines = NUMBERS / 7 + 2; /* of the end */
        char line[32];
        snprintf(line, sizeof line, ":%d:", lines);
        ck_assert_msg(strstr(error.text, line), "line %d: %s", lines, error.text);
        unlink(path);
    }
}
END_TEST

START_TEST(a_bad_line_is_named_and_skipped)
{
    static const struct {
        const char *bad, *complaint;
    } lines[] = {
        {"{\"schema\\u0000and a key that goes on behind its end\":1}\n", "\"schema\", which is missing"},
        {"nonsense\n", "x:2:"},
        {"{\"schema\":\"vmtoll.result/1\",\"measurements\":[\n", "starts at line 2; going on at line 3"},
        {"{\"schema\":\"vmtoll.result/1\",\"host\":\n", "starts at line 2; going on at line 3"},
        {"{\"schema\":\"vmtoll.result/1\",\"host\":{\"a\n", "x:2:"},
        {"{\"schema\":\"vmtoll.result/7\",\"measurements\":[]}\n", "schema: expected"},
        {"[]\n", "which is an object"},
        {"{}}\n", "x:2:"},
        {"\xff\xfe\n", "x:2:"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char text[1024];
        struct tally tally;
        struct vt_error error = {.text = ""};
        snprintf(text, sizeof text, "%s%s%s%s", DOCUMENT("a", ""), lines[i].bad, DOCUMENT("b", ""),
                 DOCUMENT("c", ""));
        ck_assert_msg(load(text, &patient, &tally, &error) == 0, "%s: %s", lines[i].bad, error.text);
        ck_assert_msg(tally.documents == 3, "%s: %zu documents", lines[i].bad, tally.documents);
        ck_assert_uint_eq(tally.complaints, 1);
        ck_assert_uint_eq(tally.lines[1], 3);
        ck_assert_msg(strstr(tally.last, lines[i].complaint) && strstr(tally.last, "going on at line 3"),
                      "%s", tally.last);
        ck_assert_ptr_null(strchr(tally.last, '\n'));
    }
}
END_TEST

START_TEST(a_bad_end_is_an_error)
{
    struct tally tally;
    struct vt_error error = {.text = ""};
    ck_assert_int_ne(load(DOCUMENT("a", "") "{\"schema\":", &patient, &tally, &error), 0);
    ck_assert_uint_eq(tally.documents, 1);
    ck_assert_uint_eq(tally.complaints, 0);
    ck_assert_ptr_nonnull(strstr(error.text, "the file ends here"));
}
END_TEST

#define START "{\"schema\":\"vmtoll.result/1\","

START_TEST(what_is_no_json_is_named_where_it_stands)
{
    static const struct {
        const char *text, *complaint;
    } texts[] = {
        {"nothing", "x:1:1: expected a result document in JSON, and here a value, found 'n'"},
        {"\n  nul", "x:2:6: expected a result document in JSON, and here null, found the end of the file"},
        {"\"text", "x:1:6: expected a result document in JSON, and here the end of a text, found the end"},
        {"{\n\"a\" 1}", "x:2:5: expected a result document in JSON, and here ':', found '1'"},
        {"{\"a\":1\n\"b\":2}", "x:2:1: expected a result document in JSON, and here ',' or '}', found '\"'"},
        {"{\"a\":[1 2]}", "x:1:9: expected a result document in JSON, and here ',' or ']', found '2'"},
        {"{\"a\":[1}", "x:1:8: expected a result document in JSON, and here ',' or ']', found '}'"},
        {"{,}", "x:1:2: expected a result document in JSON, and here a key in quotes, found ','"},
        {"{\"a\":1,}", "x:1:8: expected a result document in JSON, and here a key in quotes, found '}'"},
        {"{\"a\":[1,]}", "x:1:9: expected a result document in JSON, and here a value, found ']'"},
        {"{\"a\":}", "x:1:6: expected a result document in JSON, and here a value, found '}'"},
        {"{\"a\":-}", "x:1:7: expected a result document in JSON, and here a digit, found '}'"},
        {"{\"a\":1.e5}", "x:1:8: expected a result document in JSON, and here a digit, found 'e'"},
        {"{\"a\":01}", "x:1:7: expected a result document in JSON, and here ',' or '}', found '1'"},
        {"{\"a\":\"b\tc\"}",
         "x:1:8: expected a result document in JSON, and here a text, control characters"},
        {"{\"a\":\"\\x\"}", "x:1:8: expected a result document in JSON, and here an escape"},
        {"{\"a\":\"\\u12g4\"}", "x:1:11: expected a result document in JSON, and here an escape"},
        {"{\"a\":\"\xc3(\"}", "x:1:7: expected a result document in JSON, and here a character of UTF-8"},
        {"{\"a\":\"\xe0\x80\x80\"}", "and here a character of UTF-8, found byte 0xe0"},
        {"{\"a\":\"\xed\xa0\x80\"}", "and here a character of UTF-8, found byte 0xed"},
        {"{\"a\":\"\xf4\x90\x80\x80\"}", "and here a character of UTF-8, found byte 0xf4"},
        {"{\"a\":\"\xf0\x9f\x98", "and here a character of UTF-8, found byte 0xf0"},
        {"{\"a\":1/**/}", "and here ',' or '}', found '/'"},
        {"{\"a\":'b'}", "x:1:6: expected a result document in JSON, and here a value, found '''"},
        {"{\"host\":{\"cpu\":{\"n\":+1}}}", "x:1:21: host.cpu: expected a result document in JSON"},
        {"{\"a\":1,\n\"b\":[", "x:2:6: the file ends here, in the middle of a document"},
        {START "\n \"started\": 7}", "x:2:13: started: expected a string or null, found 7"},
        {START "\"started\":\n\"\\n\\n\",\n\"started\":1}", "x:3:1: started: expected each key once"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct tally tally;
        struct vt_error error = {.text = ""};
        ck_assert_int_ne(load(texts[i].text, &patient, &tally, &error), 0);
        ck_assert_msg(strstr(error.text, texts[i].complaint), "'%s' gave: %s", texts[i].text, error.text);
        ck_assert_ptr_null(strchr(error.text, '\n'));
    }
}
END_TEST

static int keep_started(struct vt_result *result, void *context)
{
    snprintf(context, 64, "%s", result->started ? result->started : "");
    vt_result_free(result);
    return 0;
}

START_TEST(escapes_become_characters)
{
    static const struct {
        const char *text, *started;
    } texts[] = {
        {"a\\\"b\\\\c\\/d", "a\"b\\c/d"},
        {"\\u0041\\u00e9\\u20AC\\ud83d\\uDe00", "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\\ud83d", "?"},
        {"\\ud83dx", "?x"},
        {"\\ude00\\ud83d", "??"},
        {"\\ud83d\\u0041", "?A"},
        {"\\b\\f\\n\\r\\t\\u0000", "??????"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char text[256], started[64];
        struct vt_error error = {.text = ""};
        snprintf(text, sizeof text, START "\"\\u0073tarted\":\"%s\",\"measurements\":[]}", texts[i].text);
        int status = vt_result_load_memory("x", text, strlen(text), &patient, keep_started, started, &error);
        ck_assert_msg(status == 0, "%s: %s", texts[i].text, error.text);
        ck_assert_str_eq(started, texts[i].started);
    }
}
END_TEST

START_TEST(a_mark_may_stand_before_each_document)
{
    static const char mark[] = "\xef\xbb\xbf";
    char text[512];
    struct tally tally;
    struct vt_error error = {.text = ""};
    snprintf(text, sizeof text, "%s%s%s%s%s{}\n%s%s", mark, DOCUMENT("a", ""), mark, DOCUMENT("b", ""), mark,
             mark, DOCUMENT("c", ""));
    ck_assert_msg(load(text, &patient, &tally, &error) == 0, "%s", error.text);
    ck_assert_uint_eq(tally.documents, 3);
    ck_assert_uint_eq(tally.complaints, 1);
    ck_assert_uint_eq(tally.lines[2], 4);
}
END_TEST

static void write_pieces(int fd, const char *text, size_t size, size_t cut)
{
    bool done = write(fd, text, cut) == (ssize_t)cut && usleep(1000) == 0 &&
                write(fd, text + cut, size - cut) == (ssize_t)(size - cut);
    _exit(done ? 0 : 1);
}

/* A pipe may cut every token in two. */
START_TEST(tokens_may_come_in_pieces)
{
    static const char text[] = DOCUMENT(
        "a", ",\"reason\":\"\\u00e9\xe2\x82\xac\\ud83d\\ude00\",\"toll\":null,"
             "\"simulated\":false,\"samples\":[1,-2.5e+3 ,0.25]") "\xef\xbb\xbf" DOCUMENT("b", ",\"cpl\":7");
    for (size_t cut = 0; cut < sizeof text - 1; cut++) {
        int ends[2];
        char path[32];
        struct tally tally = {0};
        struct vt_error error = {.text = ""};
        ck_assert_int_eq(pipe(ends), 0);
        pid_t writer = fork();
        if (writer == 0)
            write_pieces(ends[1], text, sizeof text - 1, cut);
        close(ends[1]);
        snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
        ck_assert_int_ne(vt_result_load(path, &patient, count, &tally, &error), 0);
        ck_assert_uint_eq(tally.documents, 1);
        ck_assert_msg(strstr(error.text, ":2:") && strstr(error.text, "cpl: expected a privilege level"),
                      "%zu: %s", cut, error.text);
        close(ends[0]);
        waitpid(writer, NULL, 0);
    }
}
END_TEST

START_TEST(texts_and_gaps_have_an_end)
{
    enum { MANY = (1 << 22) + 4096 };
    static const struct {
        const char *before;
        char repeated;
    } fillings[] = {
        {START "\"x\":\"", 'x'},  {START "\"x\":1", '0'}, {START "\"x", 'k'},
        {START "\"x\":[1,", ' '}, {START "\"x\"", '\n'},  {"", ' '},
    };
    char *text = malloc(MANY + 256);
    for (size_t i = 0; i < sizeof fillings / sizeof fillings[0]; i++) {
        struct tally tally = {0};
        struct vt_error error = {.text = ""};
        char path[] = "/tmp/vmtoll-load-XXXXXX";
        size_t before = strlen(fillings[i].before);
        memcpy(text, fillings[i].before, before);
        memset(text + before, fillings[i].repeated, MANY);
        write_file(path, text, before + MANY);
        ck_assert_int_ne(vt_result_load(path, &patient, count, &tally, &error), 0);
        ck_assert_msg(strstr(error.text, "no single value or gap of more than"), "%zu: %s", i, error.text);
        unlink(path);
    }
    free(text);
}
END_TEST

/* Hostile: every line is bad, and each swallows what follows. */
START_TEST(bad_lines_without_end_are_left_off)
{
    enum { LINES = 20000 };
    static char text[LINES * 40];
    struct tally tally;
    struct vt_error error = {.text = ""};
    size_t used = 0;
    for (int i = 0; i < LINES; i++)
        used += (size_t)sprintf(text + used, "{\"schema\":\"vmtoll.result/1\",\"x\":[\n");
    ck_assert_int_ne(load(text, &patient, &tally, &error), 0);
    ck_assert_uint_le(tally.complaints, 1000);
    ck_assert_msg(strstr(error.text, "too many bad documents"), "%s", error.text);
}
END_TEST

START_TEST(parts_hold_every_document_once)
{
    enum { DOCUMENTS = 40, PARTS = 8 };
    static char text[DOCUMENTS * 20000];
    static const char blank[16000] = "";
    char path[] = "/tmp/vmtoll-load-XXXXXX";
    struct vt_load_part parts[PARTS];
    struct vt_error error = {.text = ""};
    size_t used = 0, documents = 0;
    for (int i = 0; i < DOCUMENTS; i++) {
        char *from = text + used;
        used += (size_t)sprintf(text + used, "%s", DOCUMENT("c", ",\"reason\":\"\\n{\\\"schema\\\"\""));
        memmove(from + sizeof blank, from + 1, (size_t)(text + used - from - 1));
        memset(from + 1, i % 3 ? ' ' : '\n', sizeof blank - 1);
        used += sizeof blank - 1;
    }
    write_file(path, text, used);
    size_t n = vt_result_load_split(path, used / 5, parts, PARTS);
    ck_assert_uint_ge(n, 4);
    for (size_t i = 0; i < n; i++) {
        struct tally tally = {0};
        ck_assert_msg(vt_result_load_part(path, &parts[i], &patient, count, &tally, &error) == 0, "%s",
                      error.text);
        ck_assert_uint_eq(tally.lines[0], parts[i].line);
        documents += tally.documents;
    }
    ck_assert_uint_eq(documents, DOCUMENTS);
    unlink(path);
}
END_TEST

START_TEST(a_receiver_without_memory_ends_loading_and_is_told_of)
{
    static const char text[] = DOCUMENT("a", "") DOCUMENT("b", "");
    struct vt_error error = {.text = "of the receiver"};
    int status = -EINVAL;
    ck_assert_int_eq(vt_result_load_memory("x", text, sizeof text - 1, &patient, refuse, &status, &error),
                     -EINVAL);
    ck_assert_str_eq(error.text, "of the receiver");
    status = -ENOMEM;
    ck_assert_int_eq(vt_result_load_memory("x", text, sizeof text - 1, &patient, refuse, &status, &error),
                     -ENOMEM);
    ck_assert_str_eq(error.text, "not enough memory for x");
}
END_TEST

VT_SUITE(lists_nobody_asked_for_are_judged_alike, containers_nobody_asked_for_are_judged_alike,
         long_lists_cross_the_window, a_bad_line_is_named_and_skipped, a_bad_end_is_an_error,
         bad_lines_without_end_are_left_off, parts_hold_every_document_once,
         a_receiver_without_memory_ends_loading_and_is_told_of,
         what_is_no_json_is_named_where_it_stands, escapes_become_characters,
         a_mark_may_stand_before_each_document, tokens_may_come_in_pieces, texts_and_gaps_have_an_end)
