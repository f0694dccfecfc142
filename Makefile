# og: README.md says what it is. GNU make and bmake both read this file; config.mk holds what may be set.
.POSIX:

include config.mk

# In the order of lib/README.md: a module uses only those before it. PARTS are the files that long ones are split into.
MODULES = mix num clock dist buf file out rec json tsv catalog inventory world timeline series sim render sampler event grammar agg measure rollup truth pack pool hist check rules prom svg report batch push vl vm ch api
PARTS = api_answer catalog_cell catalog_check catalog_entity catalog_form catalog_host catalog_link catalog_record catalog_set catalog_text catalog_thing catalog_traffic ch_answer ch_ask ch_names ch_scan check_cause check_id check_keys check_name check_real check_sample check_shape check_signal check_span check_tag check_tree check_world inventory_build inventory_grow inventory_put inventory_release inventory_text measure_open push_auth push_batch push_dead push_http push_journal push_limit push_settle push_stats push_url render_compile render_line render_open render_put render_thing render_value report_chart report_graph report_page rules_bound rules_csv rules_end rules_row rules_select sim_active sim_expect sim_link sim_plan sim_traffic sim_tree vl_load vm_ask vm_server vm_text world_draft world_make world_put world_read world_spec
PROGRAMS = og-entities og-incidents og-events og-spans og-logs og-tickets og-series og-alarms og-metrics og-truth og-report og-tags og-pace og-vlpush og-vmpush og-chpush og-apipush og-check
# Those that share more than libog.
FILTERS = og-incidents og-metrics og-tags og-pace
READERS = og-events og-spans og-logs og-tickets og-series og-alarms og-truth og-report
PUSHERS = og-vlpush og-vmpush og-chpush og-apipush
# src/NAME.sh: programs of shell
SCRIPTS = og-dataset
# test/lib, test/tools, test/fuzz
TESTS = agg api batch buf catalog ch check clock dist event file grammar hist inventory json measure mix num out pack pool prom push rec render rollup report sampler series sim svg timeline truth tsv vl vm world
TOOLS = chdb cost faultd leak mangle oracle stats
FUZZERS = agg catalog ch check clock grammar inventory json rec rules vm world

LIB = bin/libog.a
LIBOBJ = $(MODULES:%=build/lib/%.o) $(PARTS:%=build/lib/%.o)
PROGOBJ = $(PROGRAMS:%=build/src/%.o) build/src/pusher.o build/src/reader.o build/src/say.o build/src/tables.o
BIN = $(PROGRAMS:%=bin/%) $(SCRIPTS:%=bin/%)
TESTBIN = $(TESTS:%=build/test/lib/%)
TOOLBIN = $(TOOLS:%=build/test/tools/%)
FUZZOBJ = $(LIBOBJ:build/%=build/fuzz/%)
FUZZBIN = $(FUZZERS:%=build/fuzz/%)

COMPILE = $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP
LINK = $(CC) $(CFLAGS) $(LDFLAGS) -o $@ build/src/$(@F).o build/src/say.o
PACKLIBS = -lzstd -lz
PUSHLIBS = -lcurl $(PACKLIBS) -lpthread
FUZZ = clang $(CPPFLAGS) $(CFLAGS) -fsanitize=address,undefined -fno-sanitize-recover=all -MMD -MP -MT $@

# What -h and completion say of options is made from these.
PAGES = $(PROGRAMS:%=man/%.1) $(SCRIPTS:%=man/%.1) man/og-push.7

all: $(LIB) $(BIN) build/og.bash

# Every object is made by this one rule; the .d files that it leaves say from what.
$(LIBOBJ) $(PROGOBJ): build/flags
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $(@:build/%.o=%.c)

$(PROGOBJ): build/help.h

build/help.h: src/help.sh src/help.awk $(PAGES)
	@mkdir -p $(@D)
	src/help.sh header $(PROGRAMS) >$@.new
	mv $@.new $@

build/og.bash: build/flags src/help.sh src/help.awk src/completion.bash $(PAGES)
	src/help.sh completion $(PREFIX)/share/og $(PROGRAMS) $(SCRIPTS) >$@.new
	mv $@.new $@

$(LIB): $(LIBOBJ)
	@mkdir -p $(@D)
	rm -f $@
	$(AR) -rcs $@ $(LIBOBJ)

# A program: what it is linked with besides libog.
bin/og-entities: build/src/og-entities.o build/src/say.o build/src/tables.o $(LIB)
	$(LINK) build/src/tables.o $(LIB) $(LDLIBS)
bin/og-check: build/src/og-check.o build/src/say.o $(LIB)
	$(LINK) $(LIB) $(LDLIBS) $(PACKLIBS)
$(FILTERS:%=bin/%): $(FILTERS:%=build/src/%.o) build/src/say.o $(LIB)
	$(LINK) $(LIB) $(LDLIBS)
$(READERS:%=bin/%): $(READERS:%=build/src/%.o) build/src/say.o build/src/reader.o $(LIB)
	$(LINK) build/src/reader.o $(LIB) $(LDLIBS)
$(PUSHERS:%=bin/%): $(PUSHERS:%=build/src/%.o) build/src/say.o build/src/pusher.o $(LIB)
	$(LINK) build/src/pusher.o $(LIB) $(LDLIBS) $(PUSHLIBS)

bin/og-dataset: src/og-dataset.sh src/help.sh src/help.awk man/og-dataset.1
	@mkdir -p $(@D) build
	src/help.sh text $(@F) >build/$(@F).help
	sed -e '/^@HELP@$$/r build/$(@F).help' -e '/^@HELP@$$/d' src/$(@F).sh >$@
	chmod 755 $@

# The flags of the last build; the file is touched only when they change, and all that is compiled depends on it.
build/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) $(LDLIBS) >$@.new
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

FORCE:

# What is missing on a Debian machine is installed.
deps:
	test/deps.sh

# Builds come after deps, so the rest of these two is run by a make of its own.
check:
	test/deps.sh
	$(MAKE) all tests
	MAKE=$(MAKE) test/run.sh $(TESTBIN) test/*.bats test/install.sh test/lint.sh

demo:
	test/deps.sh demo
	$(MAKE) all
	test/demo.sh

lint: all
	test/lint.sh

bench: all
	bench/run.sh

bench-peers: all tests
	bench/peers.sh

# C tests: test/lib/NAME.c is that of lib/NAME.c; test/tools holds what other tests run.
tests: $(TESTBIN) $(TOOLBIN)

$(TESTBIN) $(TOOLBIN): build/flags $(LIB)
	@mkdir -p $(@D)
	$(COMPILE) -MT $@ -MF $@.d $(LDFLAGS) -o $@ $(@:build/%=%.c) $(LIB) $(LDLIBS) $(PUSHLIBS)

fuzz: $(FUZZBIN)
	test/fuzz.sh $(FUZZBIN)

$(FUZZOBJ): build/flags
	@mkdir -p $(@D)
	$(FUZZ) -fsanitize=fuzzer-no-link -c -o $@ $(@:build/fuzz/%.o=%.c)

$(FUZZBIN): build/flags $(FUZZOBJ)
	$(FUZZ) -MF $@.d -fsanitize=fuzzer -o $@ $(@:build/%=test/%.c) $(FUZZOBJ) $(LDLIBS) $(PUSHLIBS)

install: all
	mkdir -p $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share
	install -m 755 $(BIN) $(DESTDIR)$(PREFIX)/bin
	for s in 1 5 7; do mkdir -p $(DESTDIR)$(MANPREFIX)/man$$s && install -m 644 man/*.$$s $(DESTDIR)$(MANPREFIX)/man$$s || exit 1; done
	[ $(PREFIX) = /usr/local ] || for f in man/*.[157]; do \
		sed 's|/usr/local/share/|$(PREFIX)/share/|g' $$f >$(DESTDIR)$(MANPREFIX)/man$${f##*.}/$${f##*/} || exit 1; done
	mkdir -p $(DESTDIR)$(COMPLETIONS)
	install -m 644 build/og.bash $(DESTDIR)$(COMPLETIONS)/og
	for p in $(PROGRAMS) $(SCRIPTS); do ln -sf og $(DESTDIR)$(COMPLETIONS)/$$p || exit 1; done
	cp -R share/og $(DESTDIR)$(PREFIX)/share
	chmod -R u+rwX,go+rX,go-w $(DESTDIR)$(PREFIX)/share/og

# Only what install wrote: a catalog that somebody added there stays.
uninstall:
	for p in $(PROGRAMS) $(SCRIPTS); do rm -f $(DESTDIR)$(PREFIX)/bin/$$p $(DESTDIR)$(COMPLETIONS)/$$p; done
	rm -f $(DESTDIR)$(COMPLETIONS)/og
	for f in man/*.[157]; do rm -f $(DESTDIR)$(MANPREFIX)/man$${f##*.}/$${f##*/}; done
	(cd share && find og -type f) | while read -r f; do rm -f "$(DESTDIR)$(PREFIX)/share/$$f"; done
	(cd share && find og -depth -type d) | while read -r d; do rmdir "$(DESTDIR)$(PREFIX)/share/$$d" || true; done

# The last commit as a tarball, and a Debian package made from that; both in build/; each commit has its bytes.
dist:
	packaging/dist.sh $(VERSION) build

deb:
	test/deps.sh deb
	packaging/dist.sh $(VERSION) build
	packaging/deb.sh build/og-$(VERSION).tar.gz build/deb

clean:
	rm -rf build bin out

.PHONY: all bench bench-peers check clean deb demo deps dist fuzz install lint tests uninstall FORCE

-include $(LIBOBJ:.o=.d) $(PROGOBJ:.o=.d) $(TESTBIN:=.d) $(TOOLBIN:=.d) $(FUZZOBJ:.o=.d) $(FUZZBIN:=.d)
