# og: see README.md. GNU make and bmake both read this; config.mk holds what may be set.
.POSIX:

include config.mk

# lib/README.md says what each is for; a module uses only those before it.
MODULES != for m in mix num clock dist out rec json catalog world timeline sim render grammar agg push; do if [ -f lib/$$m.c ]; then echo $$m; fi; done
PROGRAMS != for p in entities incidents events spans metrics tags pace vlpush; do if [ -f src/og-$$p.c ]; then echo og-$$p; fi; done
TESTS != for m in mix num clock dist out rec json catalog world timeline sim render grammar agg push; do if [ -f test/lib/$$m.c ]; then echo $$m; fi; done

LIB = bin/libog.a
LIBOBJ = $(MODULES:%=build/lib/%.o)
PROGOBJ = $(PROGRAMS:%=build/src/%.o)
BIN = $(PROGRAMS:%=bin/%)
TESTBIN = $(TESTS:%=build/test/lib/%)

COMPILE = $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP
PUSHLIBS = -lcurl -lzstd -lpthread
LINK = $(CC) $(CFLAGS) $(LDFLAGS) -o $@ build/src/$(@F).o $(LIB) $(LDLIBS)

all: $(LIB) $(BIN)

# Every object is made by this one rule; the .d files that it leaves say from what.
$(LIBOBJ) $(PROGOBJ): build/flags
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $(@:build/%.o=%.c)

$(LIB): $(LIBOBJ)
	@mkdir -p bin
	rm -f $@
	$(AR) -rcs $@ $(LIBOBJ)

# A line a program: what it is linked with beyond libog.
bin/og-entities: build/src/og-entities.o $(LIB)
	$(LINK)
bin/og-incidents: build/src/og-incidents.o $(LIB)
	$(LINK)
bin/og-events: build/src/og-events.o $(LIB)
	$(LINK)
bin/og-spans: build/src/og-spans.o $(LIB)
	$(LINK)
bin/og-metrics: build/src/og-metrics.o $(LIB)
	$(LINK)
bin/og-tags: build/src/og-tags.o $(LIB)
	$(LINK)
bin/og-pace: build/src/og-pace.o $(LIB)
	$(LINK)
bin/og-vlpush: build/src/og-vlpush.o $(LIB)
	$(LINK) $(PUSHLIBS)

# The flags of the last build: touched only when they change.
build/flags: FORCE
	@mkdir -p build
	@printf '%s\n' $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LDLIBS) >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

FORCE:

# C tests: TAP from build/test/lib/NAME; test/lib/NAME.c is for lib/NAME.c.
tests: $(TESTBIN)

$(TESTBIN): build/flags $(LIB)
	@mkdir -p $(@D)
	$(COMPILE) -MF $@.d -MT $@ $(LDFLAGS) -o $@ $(@:build/%=%.c) $(LIB) $(LDLIBS) $(PUSHLIBS)

clean:
	rm -rf build bin

.PHONY: all tests clean FORCE

-include $(LIBOBJ:.o=.d) $(PROGOBJ:.o=.d) $(TESTBIN:=.d)
