# vmtoll: `make` builds build/vmtoll; `make help` lists the rest.
.DELETE_ON_ERROR:
.SECONDARY:
.DEFAULT_GOAL := all
B := build
UNCONFIGURED := help clean distclean deps report check dist deb format
ifneq ($(filter-out $(UNCONFIGURED),$(or $(MAKECMDGOALS),all)),)
include config.mk
endif

config.mk: configure
	./configure $(CONFIGURED_WITH)

WARNINGS := -Wall -Wextra $(WERROR) -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
HOST_FLAGS = -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -I. -I$B $(LIBS_CFLAGS) $(HARDEN_CFLAGS) $(CPPFLAGS) $(CFLAGS)

# One line a file; V=1 shows the commands instead, -s neither.
Q = $(if $(filter 1,$V),,@)
SILENT = $(or $(filter 1,$V),$(findstring s,$(filter-out ---%,$(firstword -$(MAKEFLAGS)))))
step = $Q$(if $(SILENT),,echo '$1 $2';)

include guest/rules.mk

# guest/ and lab/profile/plugin/ hold what other rules build; of the rest every file is found.
LAYERS := base probes audit vcpu translate vmm bench result show report compare fleet price lab ab image cli
SOURCES := $(filter-out guest/offsets.c,$(wildcard guest/*.c)) $(filter-out cli/static.c lab/profile/plugin/%,$(sort $(shell find $(LAYERS) -name '*.c' 2>/dev/null)))
STUBS := $(wildcard audit/*.S)
LIBRARY := $(patsubst %,$B/%.o,$(filter-out cli/%,$(SOURCES)) $(CASES) $(STUBS)) $B/guest/payload_image.o $B/guest/image_files.o $B/lab/profile/plugin_file.o

# Whole, so that every program carries every case: the cases are found by their section, not by name.
WHOLE := -Wl,--whole-archive $B/libvmtoll.a -Wl,--no-whole-archive

all: $B/vmtoll

# What asks for memory in the name of the program: cli/memory.c stands before each.
COMMA := ,
ALLOCATING := malloc calloc realloc aligned_alloc strdup strndup asprintf __asprintf_chk getdelim __getdelim fopen fdopen \
	fopencookie opendir fdopendir scandir realpath __realpath_chk newlocale tsearch getgrnam getgrgid getgrouplist getpwuid \
	posix_spawn_file_actions_addopen
WRAPPED := $(addprefix -Wl$(COMMA)--wrap=,$(ALLOCATING))

PROGRAM := $(patsubst %,$B/%.o,$(filter cli/%,$(SOURCES)))

$B/vmtoll: $(PROGRAM) $B/libvmtoll.a
	$(call step,LD,$@)$(CC) $(CFLAGS) -Wl,--build-id $(HARDEN_LDFLAGS) $(LDFLAGS) $(WRAPPED) -o $@ $(PROGRAM) $(WHOLE) $(LIBS) -lm

# One file that runs on any x86-64 Linux from 4.18 on.
static: all $B/cli/static.c.o
	@tools/archives $B/static "$(CC)" "$(CFLAGS)" "$(LIBS)"
	$(call step,LD,$B/static/vmtoll)$(CC) $(CFLAGS) -Wl,--build-id $(filter-out -pie,$(HARDEN_LDFLAGS)) $(LDFLAGS) $(WRAPPED) -static -o $B/static/vmtoll $(PROGRAM) $B/cli/static.c.o $(WHOLE) \
		-L$B/static $(LIBS) -lm
	@echo $B/static/vmtoll

$B/libvmtoll.a: $(LIBRARY) Makefile guest/rules.mk
	@rm -f $@
	$(call step,AR,$@)ar rcs $@ $(LIBRARY)

$B/%.c.o: %.c config.mk $B/guest/offsets.inc $B/base/flags.inc
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(HOST_FLAGS) -MMD -MP -c -o $@ $<

# Written anew only when flags change, so objects of other flags are made again; the second line is for that alone.
$B/base/flags.inc: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(filter -%,$(CC)) $(HARDEN_CFLAGS) $(CPPFLAGS) $(CFLAGS))' '$(subst ','\'',$(CC))' | \
		sed 's/[\"]/\\&/g; s/-f[a-z]*-prefix-map=[^ ]*//g; s/  */ /g; s/^ //; s/ $$//; 1s/.*/"&"/; 2s,^,// ,' >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

# The compiler does not see what .incbin reads.
$B/show/asset.c.o: $(wildcard show/page* report/story/*.txt report/story/*.svg) data/published.json

$B/audit/%.S.o: audit/%.S
	@mkdir -p $(@D)
	$(call step,AS,$<)$(CC) -E -I. -MMD -MP -MT $@ -MF $(@:.o=.d) -o $(@:.o=.s) $<
	$Qas -o $@ $(@:.o=.s)

# What QEMU loads: no flag of the host's program is for it, a sanitizer's least of all.
PLUGIN_SOURCES := $(wildcard lab/profile/plugin/*.c) lab/profile/record.c lab/profile/flow.c

$B/lab/profile/plugin.so: $(PLUGIN_SOURCES) $(wildcard lab/profile/*.h lab/profile/plugin/*.h) guest/abi.h config.mk
	@mkdir -p $(@D)
	$(call step,LD,$@)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -I. -I$B -O2 -fPIC -fvisibility=hidden -shared -s -Wl,--build-id=none \
		-Wl,-z,relro,-z,now -o $@ $(PLUGIN_SOURCES)

$B/lab/profile/plugin_file.o: lab/profile/plugin_file.S $B/lab/profile/plugin.so
	$(call step,AS,$<)$(CC) -I. -I$B -Wa,-I$B -c -o $@ $<

# Every KVM_CAP_ by name, from the header that is compiled against.
$B/probes/kvm/caps.inc: config.mk
	@mkdir -p $(@D)
	$(call step,GEN,$@)printf '#include <linux/kvm.h>\n' | $(CC) -E -dM -x c - | \
		sed -n 's/^#define \(KVM_CAP_[A-Z0-9_]*\) [0-9].*/{"\1", \1},/p' | sort >$@

$B/probes/kvm/section.c.o: $B/probes/kvm/caps.inc

include tests/rules.mk

# LAB=0 leaves out the labs, and what they need.
LAB ?= 1
export LAB
CHECKED := report check $(if $(filter 0,$(LAB)),,lab)

deps:
	@tools/deps $(CHECKED)

# What a person types first: no command lines, and all CPUs unless -j says otherwise.
QUIETLY = $(MAKE) -s --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

report:
	@tools/deps report $(if $(filter 0,$(LAB)),,tour) $(if $(filter all,$(LAB)),lab)
	@[ -f config.mk ] || ./configure
	@echo building
	@$(QUIETLY) all
	@$B/vmtoll tour --output out --labs $(if $(filter 0,$(LAB)),none,$(if $(filter all,$(LAB)),all,auto))

check:
	@tools/deps $(CHECKED)
	@[ -f config.mk ] || ./configure
	@echo building
	@$(QUIETLY) tests
	@tests/run $B

# Other builds of the same tree, each in a folder of its own.
UNHARDENED = HARDEN_CFLAGS= HARDEN_LDFLAGS=

fuzz:
	$(MAKE) B=build-fuzz $(UNHARDENED) CC=clang WERROR= \
		CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined" fuzzers
	@[ -z "$(FUZZ_SECONDS)" ] || tools/fuzz build-fuzz/fuzz "$(FUZZ_SECONDS)"

# A status of their own: many tests expect 1, and would not notice.
sanitize:
	ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99:print_stacktrace=1 $(MAKE) B=build-sanitize $(UNHARDENED) \
		CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" test

# What ran is what counts: a program that names its folder and writes beside itself fails a few tests.
coverage:
	@command -v gcovr >/dev/null || { echo 'coverage: missing gcovr: install it with: apt-get install gcovr' >&2; exit 3; }
	-$(MAKE) B=build-coverage $(UNHARDENED) CFLAGS="-O0 -g --coverage -fprofile-update=atomic" test
	gcovr --gcov-ignore-parse-errors --root . --object-directory build-coverage --exclude tests/ --print-summary \
		--html-details build-coverage/coverage.html build-coverage
	@echo "lines: build-coverage/coverage.html"

lint: $B/guest/offsets.inc $B/probes/kvm/caps.inc $B/base/flags.inc
	@tools/lint "$(CC)" "-std=gnu11 -D_GNU_SOURCE -I. -I$B $(LIBS_CFLAGS) $(CHECK_CFLAGS)"

format:
	git ls-files '*.c' '*.h' ':!guest/cases' | xargs clang-format -i
	tools/wrap docs/man/*.1

MANUALS := $(notdir $(wildcard docs/man/*.1))
PAGES := LICENSE $(wildcard README.md SECURITY.md CHANGELOG.md docs/*.md docs/*.json docs/schema/*.json)
BIN = $(DESTDIR)$(bindir)
MAN = $(DESTDIR)$(mandir)/man1
DOC = $(DESTDIR)$(docdir)
BASH_COMPLETION = $(DESTDIR)$(bash_completion_dir)
ZSH_COMPLETION = $(DESTDIR)$(zsh_completion_dir)
FISH_COMPLETION = $(DESTDIR)$(fish_completion_dir)

install: all
	install -D -m 755 $B/vmtoll "$(BIN)/vmtoll"
	install -d "$(MAN)" "$(DOC)"
	install -m 644 $(addprefix docs/man/,$(MANUALS)) "$(MAN)"
	tools/pages "$(DOC)" $(PAGES)
	install -D -m 644 share/completion/vmtoll.bash "$(BASH_COMPLETION)/vmtoll"
	install -D -m 644 share/completion/_vmtoll "$(ZSH_COMPLETION)/_vmtoll"
	install -D -m 644 share/completion/vmtoll.fish "$(FISH_COMPLETION)/vmtoll.fish"

uninstall:
	rm -f "$(BIN)/vmtoll" "$(BASH_COMPLETION)/vmtoll" "$(ZSH_COMPLETION)/_vmtoll" "$(FISH_COMPLETION)/vmtoll.fish"
	for name in $(MANUALS); do rm -f "$(MAN)/$$name"; done
	for name in $(notdir $(PAGES)); do rm -f "$(DOC)/$$name"; done
	[ ! -d "$(DOC)" ] || rmdir "$(DOC)"

deb:
	@tools/deb $B

dist:
	@tools/dist $B

clean:
	rm -rf $B build-* out

distclean: clean
	rm -f config.mk config.h

help:
	@echo 'make              build build/vmtoll'
	@echo 'make report       install what is missing, build, measure for about 20 s: out/report.html, out/result.json'
	@echo 'make check        install what is missing, build, run all tests; LAB=0 leaves out the labs'
	@echo 'make test         run all tests; tests/run build NAME runs those whose name contains NAME'
	@echo 'make install      install below PREFIX (./configure --prefix=...), DESTDIR before it; make uninstall'
	@echo 'make static       build/static/vmtoll, one file that needs nothing of the machine it is copied to'
	@echo 'make deb          build/vmtoll_VERSION_amd64.deb, for apt install ./FILE'
	@echo 'make dist         build/vmtoll-VERSION.tar.gz of the last commit'
	@echo 'make format       clang-format over all C files, manual pages to 80 columns'
	@echo 'make lint         clang-tidy, cppcheck, shellcheck, layers, headers that compile alone'
	@echo 'make sanitize     the tests under AddressSanitizer and UndefinedBehaviorSanitizer'
	@echo 'make fuzz         the fuzz targets with libFuzzer (clang): build-fuzz/fuzz/; FUZZ_SECONDS=N runs each so long'
	@echo 'make coverage     the tests with line coverage: build-coverage/coverage.html'
	@echo 'make clean        remove what was built; make distclean: and what ./configure wrote'
	@echo 'NO_DEPS=1         installs nothing; B=DIR builds there; CC= and CFLAGS= as usual; V=1 shows every command'

-include $(shell find $B -name '*.d' 2>/dev/null)

.PHONY: FORCE all bench benches tests test deps report check sanitize fuzz fuzzers coverage lint format install uninstall static dist deb clean distclean help
