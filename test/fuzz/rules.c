/*
 * lib/rules: a table of rules, a NUL, and a table "x" in CSV. Either is refused in words, or there is a verdict, one sound JSON object.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"
#include "json.h"
#include "rules.h"

static char folder[] = "/tmp/og-fuzz-rules-XXXXXX", table[64], rows[64];
static struct world world;
static struct world_incident incident;
static struct json_reader *sound;

static void
clean(void)
{
	(void)unlink(table);
	(void)unlink(rows);
	(void)rmdir(folder);
}

static void
open_all(void)
{
	static const char *const none = "";
	static char component[] = "c", level[] = "easy";
	char err[512];

	must(mkdtemp(folder) != NULL);
	(void)snprintf(table, sizeof(table), "%s/rules", folder);
	(void)snprintf(rows, sizeof(rows), "%s/x.csv", folder);
	(void)atexit(clean);
	sound = json_reader(&none, 0);
	must(sound != NULL);
	incident = (struct world_incident){ .component = component, .start = 1735690000000000, .end = 1735700000000000 };
	world = (struct world){ .begin = 1735689600000000, .end = 1735776000000000, .nincidents = 1, .incident = &incident };
	(void)setenv("OG_SHARE", "share/og", 0);
	must(catalog_load(&world.cat, "fibersqs", err, sizeof(err), NULL, NULL) == 0);
	world.cat.set.level = level;
}

static void
write_file(const char *path, const uint8_t *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	must(fd != -1 && write(fd, p, n) == (ssize_t)n && close(fd) == 0);
}

static void
check_verdict(const struct rules *r)
{
	struct json_value v;
	struct out o;
	const char *why;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	must(fd != -1 && out_open(&o, fd, 1 << 22) == 0);
	must(rules_verdict(r, &o) >= 0);
	must(o.len > 0 && o.buf[o.len - 1] == '\n' && json_read(sound, o.buf, o.len - 1, &v, &why) == 0);
	must(out_close(&o) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size == 0 ? NULL : memchr(data, '\0', size);
	size_t n = nul == NULL ? size : (size_t)(nul - data);
	char err[512] = "";
	struct rules *r;

	if (sound == NULL)
		open_all();
	write_file(table, data, n);
	write_file(rows, nul == NULL ? data : nul + 1, nul == NULL ? 0 : size - n - 1);
	if ((r = rules_open(table, &world, NULL, err, sizeof(err))) == NULL) {
		must(strlen(err) > 0);
		return 0;
	}
	if (rules_run(r, folder, err, sizeof(err)) == 0)
		check_verdict(r);
	else
		must(strlen(err) > 0);
	rules_free(r);
	return 0;
}
