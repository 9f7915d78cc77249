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

WARNINGS = -Wall -Wextra $(WERROR) -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
HOST_FLAGS = -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -I. -I$B $(LIBS_CFLAGS) $(CFLAGS)
# The guest runs without a kernel below it: no library, no SSE state, and no red zone under its interrupts.
GUEST_FLAGS = -std=gnu11 $(WARNINGS) -I. -I$B -O2 -ffreestanding -fno-pic -fno-pie -mno-red-zone \
	-mgeneral-regs-only -mcmodel=small -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -Wa,-I$B

# guest/ holds what other rules build; of the rest every file is found.
LAYERS := base probes audit vcpu vmm bench result show report compare fleet lab cli
SOURCES := $(filter-out guest/offsets.c,$(wildcard guest/*.c)) $(sort $(shell find $(LAYERS) -name '*.c' 2>/dev/null))
CASES := $(wildcard guest/cases/*.S)
STUBS := $(wildcard audit/*.S)
PAYLOAD := $(wildcard guest/payload/*.S guest/payload/*.c)
LIBRARY := $(patsubst %,$B/%.o,$(filter-out cli/%,$(SOURCES)) $(CASES) $(STUBS)) $B/guest/payload_image.o $B/guest/image_files.o

# Whole, so that every program carries every case: the cases are found by their section, not by name.
WHOLE := -Wl,--whole-archive $B/libvmtoll.a -Wl,--no-whole-archive

all: $B/vmtoll

PROGRAM := $(patsubst %,$B/%.o,$(filter cli/%,$(SOURCES)))

$B/vmtoll: $(PROGRAM) $B/libvmtoll.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(PROGRAM) $(WHOLE) $(LIBS) -lm

$B/libvmtoll.a: $(LIBRARY) Makefile
	rm -f $@
	ar rcs $@ $(LIBRARY)

$B/%.c.o: %.c config.mk $B/guest/offsets.inc
	@mkdir -p $(@D)
	$(CC) $(HOST_FLAGS) -MMD -MP -c -o $@ $<

# The compiler does not see what .incbin reads.
$B/show/asset.c.o: $(wildcard show/page*) data/published.json

# One assembly serves every engine: no host flag and no choice of compiler changes its bytes, padding included.
$B/guest/cases/%.S.o: guest/cases/%.S $B/guest/offsets.inc
	@mkdir -p $(@D)
	$(CC) -E -I. -MMD -MP -MT $@ -MF $(@:.o=.d) -o $(@:.o=.s) $<
	as -I$B -o $@ $(@:.o=.s)

$B/audit/%.S.o: audit/%.S
	@mkdir -p $(@D)
	$(CC) -E -I. -MMD -MP -MT $@ -MF $(@:.o=.d) -o $(@:.o=.s) $<
	as -o $@ $(@:.o=.s)

$B/guest/payload/%.o: guest/payload/% $B/guest/offsets.inc
	@mkdir -p $(@D)
	$(CC) $(GUEST_FLAGS) -MMD -MP -c -o $@ $<

$B/guest/payload.elf: $(patsubst %,$B/%.o,$(PAYLOAD)) guest/payload/payload.lds
	$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-T,guest/payload/payload.lds -o $@ $(filter %.o,$^)

$B/guest/payload.bin: $B/guest/payload.elf
	objcopy -O binary $< $@

$B/guest/payload_image.o: guest/payload_image.S $B/guest/payload.bin
	$(CC) -I. -I$B -Wa,-I$B -c -o $@ $<

# An image that boots by itself: the cases, the catalogue and the payload's handlers in one ELF.
IMAGE_SHARED := guest/catalogue.c guest/image/choice.c guest/image/measure.c guest/image/string.c guest/image/witness.c guest/image/xenname.c guest/image/batch.S
IMAGE_PVH := $(patsubst %,$B/image/%.o,$(IMAGE_SHARED) guest/longmode.c guest/image/pvh.c guest/image/pvh.S \
	guest/payload/entry.S)
IMAGE_XENPV := $(patsubst %,$B/image-xenpv/%.o,$(IMAGE_SHARED) guest/image/xenpv.c guest/image/xenproof.c guest/image/xenpv.S)

$B/image/%.o: % $B/guest/offsets.inc
	@mkdir -p $(@D)
	$(CC) $(GUEST_FLAGS) -fno-builtin -MMD -MP -c -o $@ $<

$B/guest/image-pvh.elf: $(IMAGE_PVH) $(patsubst %,$B/%.o,$(CASES)) guest/image/image.lds
	$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-T,guest/image/image.lds,--no-warn-rwx-segments -o $@ $(filter %.o,$^)

# A PV domain is linked where Xen maps it: in the last 2 GiB.
$B/image-xenpv/%.o: % $B/guest/offsets.inc
	@mkdir -p $(@D)
	$(CC) $(GUEST_FLAGS) -mcmodel=kernel -fno-builtin -MMD -MP -c -o $@ $<

$B/guest/image-xenpv.elf: $(IMAGE_XENPV) $(patsubst %,$B/%.o,$(CASES)) guest/image/xenpv.lds
	$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-T,guest/image/xenpv.lds,--no-warn-rwx-segments -o $@ $(filter %.o,$^)

$B/guest/image_files.o: guest/image_files.S $B/guest/image-pvh.elf $B/guest/image-xenpv.elf
	$(CC) -I. -I$B -Wa,-I$B -c -o $@ $<

# Offsets reach the assembler from the compiler, never by hand.
$B/guest/offsets.inc: guest/offsets.c guest/abi.h config.mk
	@mkdir -p $(@D)
	$(CC) -std=gnu11 $(WARNINGS) -I. -O2 -S -o $B/guest/offsets.s $<
	sed -n 's/^[^"]*"*->\([A-Z0-9_]*\) [$$]*\([0-9]*\).*/.set \1, \2/p' $B/guest/offsets.s >$@

# Every KVM_CAP_ by name, from the header that is compiled against.
$B/probes/kvm_caps.inc: config.mk
	@mkdir -p $(@D)
	printf '#include <linux/kvm.h>\n' | $(CC) -E -dM -x c - | \
		sed -n 's/^#define \(KVM_CAP_[A-Z0-9_]*\) [0-9].*/{"\1", \1},/p' | sort >$@

$B/probes/kvm.c.o: $B/probes/kvm_caps.inc

# Tests: every program, compiled or script, prints TAP; tests/run adds them up.
TESTED := $(sort $(shell find tests/unit tests/difference -name '*.c'))
UNIT := $(patsubst %.c,$B/%,$(foreach source,$(TESTED),$(if $(filter test_%,$(notdir $(source))),$(source))))
SUPPORT := $(patsubst %.c,$B/%.c.o,$(foreach source,$(TESTED),$(if $(filter test_%,$(notdir $(source))),,$(source))))

$B/tests/%: tests/%.c $(SUPPORT) $B/libvmtoll.a
	@mkdir -p $(@D)
	$(CC) $(HOST_FLAGS) $(CHECK_CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(SUPPORT) \
		$(WHOLE) $(LIBS) $(CHECK_LIBS) -lm

# An image that judges: tests hand it states, QEMU's processor runs them (tests/judge).
JUDGE := $(patsubst %,$B/image/%.o,$(wildcard tests/judge/*.c tests/judge/*.S) guest/image/string.c guest/image/pvh.S)

$B/tests/difference/judge.elf: $(JUDGE) guest/image/image.lds
	@mkdir -p $(@D)
	$(CC) -nostdlib -static -Wl,--build-id=none -Wl,-T,guest/image/image.lds,--no-warn-rwx-segments -o $@ $(filter %.o,$^)

# Benchmarks compare two sides in one run and print the ratio; `make bench` builds and runs them all.
BENCHES := $(patsubst tests/bench/%.c,$B/benchmarks/%,$(wildcard tests/bench/bench_*.c))
BENCH_SUPPORT := $(patsubst %.c,$B/%.c.o,$(filter-out $(wildcard tests/bench/bench_*.c),$(wildcard tests/bench/*.c)))

$B/benchmarks/bench_%: tests/bench/bench_%.c $(BENCH_SUPPORT) $B/libvmtoll.a
	@mkdir -p $(@D)
	$(CC) $(HOST_FLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(BENCH_SUPPORT) $(WHOLE) $(LIBS) -lm

benches: all $(BENCHES)

bench: benches
	@for program in $(BENCHES); do echo "== $$program"; $$program || true; done

tests: all $(UNIT) $(BENCHES) $B/tests/difference/judge.elf

test: tests
	tests/run $B

deps:
	@tools/deps report check

# What a person types first: no command lines, and all CPUs unless -j says otherwise.
QUIETLY = $(MAKE) -s --no-print-directory $(if $(findstring -j,$(MAKEFLAGS)),,-j$(shell nproc))

report:
	@tools/deps report
	@[ -f config.mk ] || ./configure
	@echo building
	@$(QUIETLY) all
	@tools/report $B out

check:
	@tools/deps report check
	@[ -f config.mk ] || ./configure
	@echo building
	@$(QUIETLY) tests
	@tests/run $B

# Fuzz targets are for libFuzzer: clang, and a build of their own.
FUZZERS := $(patsubst tests/fuzz/%.c,$B/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

$B/fuzz/%: tests/fuzz/%.c $(SUPPORT) $B/libvmtoll.a
	@mkdir -p $(@D)
	$(CC) $(HOST_FLAGS) $(CHECK_CFLAGS) -fsanitize=fuzzer $(LDFLAGS) -o $@ $< $(SUPPORT) $(WHOLE) $(LIBS) \
		$(CHECK_LIBS) -lm

fuzzers: $(FUZZERS)

# Other builds of the same tree, each in a folder of its own.
fuzz:
	$(MAKE) B=build-fuzz CC=clang \
		CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined" fuzzers

# A status of their own: many tests expect 1, and would not notice.
sanitize:
	ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99:print_stacktrace=1 $(MAKE) B=build-sanitize \
		CFLAGS="-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" test

# What ran is what counts: a program that names its folder and writes beside itself fails a few tests.
coverage:
	@command -v gcovr >/dev/null || { echo 'coverage: missing gcovr: install it with: apt-get install gcovr' >&2; exit 3; }
	-$(MAKE) B=build-coverage CFLAGS="-O0 -g --coverage -fprofile-update=atomic" test
	gcovr --gcov-ignore-parse-errors --root . --object-directory build-coverage --exclude tests/ --print-summary \
		--html-details build-coverage/coverage.html build-coverage
	@echo "lines: build-coverage/coverage.html"

lint: $B/guest/offsets.inc $B/probes/kvm_caps.inc
	@tools/lint "$(CC)" "-std=gnu11 -D_GNU_SOURCE -I. -I$B $(LIBS_CFLAGS) $(CHECK_CFLAGS)"

format:
	git ls-files '*.c' '*.h' ':!guest/cases' | xargs clang-format -i

MANUALS := $(notdir $(wildcard docs/man/*.1))
PAGES := LICENSE $(wildcard README.md docs/*.md docs/*.json docs/schema/*.json)
BIN = $(DESTDIR)$(PREFIX)/bin
MAN = $(DESTDIR)$(PREFIX)/share/man/man1
DOC = $(DESTDIR)$(PREFIX)/share/doc/vmtoll
BASH_COMPLETION = $(DESTDIR)$(PREFIX)/share/bash-completion/completions
ZSH_COMPLETION = $(DESTDIR)$(PREFIX)/share/zsh/site-functions

install: all
	install -D -m 755 $B/vmtoll "$(BIN)/vmtoll"
	install -d "$(MAN)" "$(DOC)"
	install -m 644 $(addprefix docs/man/,$(MANUALS)) "$(MAN)"
	install -m 644 $(PAGES) "$(DOC)"
	install -D -m 644 share/completion/vmtoll.bash "$(BASH_COMPLETION)/vmtoll"
	install -D -m 644 share/completion/_vmtoll "$(ZSH_COMPLETION)/_vmtoll"

uninstall:
	rm -f "$(BIN)/vmtoll" "$(BASH_COMPLETION)/vmtoll" "$(ZSH_COMPLETION)/_vmtoll"
	for name in $(MANUALS); do rm -f "$(MAN)/$$name"; done
	for name in $(notdir $(PAGES)); do rm -f "$(DOC)/$$name"; done
	[ ! -d "$(DOC)" ] || rmdir "$(DOC)"

deb:
	@tools/deb $B

dist:
	@mkdir -p $B
	version=$$(sed -n 's/^version=//p' configure) && \
		git archive --prefix=vmtoll-$$version/ -o $B/vmtoll-$$version.tar.gz HEAD && \
		echo "$B/vmtoll-$$version.tar.gz"

clean:
	rm -rf $B build-* out

distclean: clean
	rm -f config.mk config.h

help:
	@echo 'make              build build/vmtoll'
	@echo 'make report       install what is missing, build, measure for about 20 s: out/report.html, out/result.json'
	@echo 'make check        install what is missing, build, run all tests'
	@echo 'make test         run all tests; tests/run build NAME runs those whose name contains NAME'
	@echo 'make install      install below PREFIX (./configure --prefix=...), DESTDIR before it; make uninstall'
	@echo 'make deb          build/vmtoll_VERSION_amd64.deb, for apt install ./FILE'
	@echo 'make dist         build/vmtoll-VERSION.tar.gz of the last commit'
	@echo 'make format       clang-format over all C files'
	@echo 'make lint         clang-tidy, cppcheck, shellcheck, layers, headers that compile alone'
	@echo 'make sanitize     the tests under AddressSanitizer and UndefinedBehaviorSanitizer'
	@echo 'make fuzz         the fuzz targets with libFuzzer (clang): build-fuzz/fuzz/'
	@echo 'make coverage     the tests with line coverage: build-coverage/coverage.html'
	@echo 'make clean        remove what was built; make distclean: and what ./configure wrote'
	@echo 'NO_DEPS=1         installs nothing; B=DIR builds there; CC= and CFLAGS= as usual'

-include $(shell find $B -name '*.d' 2>/dev/null)

.PHONY: all bench benches tests test deps report check sanitize fuzz fuzzers coverage lint format install uninstall dist deb clean distclean help
