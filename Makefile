# vmtoll: `make` builds build/vmtoll; `make help` lists the rest.
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all
B := build
ifneq ($(filter-out help clean distclean deps format report check,$(or $(MAKECMDGOALS),all)),)
include config.mk
endif

config.mk: configure
	./configure

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
HOST_FLAGS = -std=gnu11 $(WARNINGS) -I. -I$B $(LIBS_CFLAGS) $(CFLAGS)
# The guest runs without a kernel below it: no library, no SSE state, and no red zone under its interrupts.
GUEST_FLAGS = -std=gnu11 $(WARNINGS) -I. -I$B -O2 -ffreestanding -fno-pic -fno-pie -mno-red-zone \
	-mgeneral-regs-only -mcmodel=small -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none -Wa,-I$B

LAYERS := base probes guest vcpu vmm bench bench/engines report cli
SOURCES := $(foreach layer,$(LAYERS),$(wildcard $(layer)/*.c))
SOURCES += $(wildcard bench/engines/*/*.c)
SOURCES := $(filter-out guest/offsets.c,$(SOURCES))
CASES := $(wildcard guest/cases/*.S)
PAYLOAD := $(wildcard guest/payload/*.S guest/payload/*.c)
LIBRARY := $(patsubst %,$B/%.o,$(filter-out cli/main.c,$(SOURCES)) $(CASES)) $B/guest/payload_image.o

all: $B/vmtoll

$B/vmtoll: $B/cli/main.c.o $B/libvmtoll.a
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< -Wl,--whole-archive $B/libvmtoll.a -Wl,--no-whole-archive $(LIBS) -lm

$B/libvmtoll.a: $(LIBRARY)
	rm -f $@
	ar rcs $@ $^

$B/%.c.o: %.c config.mk $B/guest/offsets.inc
	@mkdir -p $(@D)
	$(CC) $(HOST_FLAGS) -MMD -MP -c -o $@ $<

# One assembly serves every engine: no path of the build, no host flag and no compiler choice changes its bytes.
$B/guest/cases/%.S.o: guest/cases/%.S $B/guest/offsets.inc
	@mkdir -p $(@D)
	$(CC) -I. -I$B -Wa,-I$B -MMD -MP -c -o $@ $<

$B/guest/payload/%.o: guest/payload/% $B/guest/offsets.inc
	@mkdir -p $(@D)
	$(CC) $(GUEST_FLAGS) -MMD -MP -c -o $@ $<

$B/guest/payload.elf: $(patsubst %,$B/%.o,$(PAYLOAD)) guest/payload/payload.lds
	$(CC) -nostdlib -static -no-pie -Wl,--build-id=none -Wl,-T,guest/payload/payload.lds -o $@ $(filter %.o,$^)

$B/guest/payload.bin: $B/guest/payload.elf
	objcopy -O binary $< $@

$B/guest/payload_image.o: guest/payload_image.S $B/guest/payload.bin
	$(CC) -I. -I$B -Wa,-I$B -c -o $@ $<

# Offsets reach the assembler from the compiler, never by hand.
$B/guest/offsets.inc: guest/offsets.c guest/abi.h config.mk
	@mkdir -p $(@D)
	$(CC) $(HOST_FLAGS) -S -o $B/guest/offsets.s $<
	sed -n 's/^[^"]*"*->\([A-Z0-9_]*\) [$$]*\([0-9]*\).*/.set \1, \2/p' $B/guest/offsets.s >$@

# Tests: every program, compiled or script, prints TAP; tests/run adds them up.
UNIT := $(patsubst tests/unit/%.c,$B/tests/%,$(wildcard tests/unit/test_*.c))
SUPPORT := $(patsubst %.c,$B/%.c.o,$(filter-out $(wildcard tests/unit/test_*.c),$(wildcard tests/unit/*.c)))

$B/tests/%: tests/unit/%.c $(SUPPORT) $B/libvmtoll.a
	@mkdir -p $(@D)
	$(CC) $(HOST_FLAGS) $(CHECK_CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(SUPPORT) \
		$B/libvmtoll.a $(LIBS) $(CHECK_LIBS) -lm

tests: all $(UNIT)

test: tests
	tests/run $B

deps:
	@tests/../tools/deps

report: deps
	@[ -f config.mk ] || ./configure
	$(MAKE) all
	tools/report $B out

check: deps
	@[ -f config.mk ] || ./configure
	$(MAKE) test

clean:
	rm -rf $B out

distclean: clean
	rm -f config.mk

-include $(shell find $B -name '*.d' 2>/dev/null)

.PHONY: all tests test deps report check clean distclean
