#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "num.h"
#include "out.h"
#include "tables.h"

#define ERROR_MAX 4096
#define PATH_SIZE 4096

/* The file that a signal leaves behind, for its handler. */
static const char *volatile unfinished;

static void
clean_up(int number)
{
	if (unfinished != NULL)
		(void)unlink(unfinished);
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

/* Signals that end the program, unless they are ignored. */
static void
catch_signals(sigset_t *caught)
{
	static const int numbers[] = { SIGHUP, SIGINT, SIGTERM, SIGXFSZ, SIGXCPU };
	struct sigaction action = { .sa_handler = clean_up }, old;

	(void)sigemptyset(caught);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN) {
			(void)sigaction(numbers[i], &action, NULL);
			(void)sigaddset(caught, numbers[i]);
		}
}

static uint64_t
whole(const char *what, const char *text, uint64_t hi)
{
	const char *wrong;
	uint64_t x;

	if (num_u64(text, 1, hi, &x, &wrong) == -1)
		errx(2, "%s \"%s\" is %s", what, text, wrong);
	return x;
}

/* "K/N" */
static void
set_shard(struct inventory_form *form, const char *text)
{
	const char *slash = strchr(text, '/');
	char first[32];

	if (slash == NULL || (size_t)(slash - text) >= sizeof(first))
		errx(2, "shard \"%s\" is not K/N", text);
	memcpy(first, text, (size_t)(slash - text));
	first[slash - text] = '\0';
	form->parts = whole("number of shards", slash + 1, UINT32_MAX);
	form->part = whole("shard", first, form->parts);
}

static void
set_form(struct tables *t, const struct tables_asked *asked, const char *table)
{
	int format = asked->format == NULL ? INVENTORY_JSON : inventory_format(asked->format);

	t->form = (struct inventory_form){ .format = INVENTORY_JSON, .part = 1, .parts = 1, .array = asked->array };
	t->schedule = asked->format != NULL && strcmp(asked->format, "schedule") == 0;
	if (format == -1 && !t->schedule)
		errx(2, "format \"%s\" is none of json, csv, tsv, jsonapi, copy and schedule", asked->format);
	if (!t->schedule)
		t->form.format = (enum inventory_format)format;
	if (asked->array && (t->schedule || (format != INVENTORY_JSON && format != INVENTORY_JSONAPI)))
		errx(2, "an array is of format json or jsonapi");
	if (t->schedule && (table != NULL || asked->shard != NULL))
		errx(2, "a schedule is no table, and has no shards");
	if (asked->shard != NULL)
		set_shard(&t->form, asked->shard);
}

void
tables_open(struct tables *t, const struct tables_asked *asked, const char *table, uint64_t seed, int64_t begin, int64_t end)
{
	const struct catalog *c = t->catalog;
	char text[ERROR_MAX];
	double factor = 1;

	if (asked->factor != NULL &&
	    (num_decimal(asked->factor, strlen(asked->factor), &factor) == -1 || factor < INVENTORY_FACTOR_MIN ||
		factor > INVENTORY_FACTOR_MAX))
		errx(2, "factor \"%s\" is not a number from 0.001 to 100", asked->factor);
	set_form(t, asked, table);
	if (c->nentities == 0)
		errx(2, "catalog %s has no entities", c->name);
	if (factor != 1 && c->set.inventory_scale == -1)
		errx(2, "catalog %s has no setting inventory.scale", c->name);
	t->inventory = inventory_open(c, seed, begin, end, factor, text, sizeof(text));
	if (t->inventory == NULL || inventory_check(t->inventory, text, sizeof(text)) == -1)
		errx(2, "%s", text);
}

/* A table, or the schedule (-1), into a stream; rows, -1 when writing failed. A fault of the catalog ends the program, without the file. */
static int64_t
write_table(const struct tables *t, int entity, struct out *out, struct file *file)
{
	char text[ERROR_MAX];
	int64_t rows;

	rows = entity == -1 ? inventory_schedule(t->inventory, out, text, sizeof(text))
			    : inventory_put(t->inventory, entity, &t->form, out, text, sizeof(text));
	if (out->err != 0)
		return -1;
	if (rows == -1) {
		if (file != NULL)
			file_drop(file);
		errx(2, "%s", text);
	}
	return rows;
}

static void
tell(const struct tables *t, const char *name, int64_t rows)
{
	if (t->verbose && !t->schedule)
		warnx("%s: %lld rows", name, (long long)rows);
}

void
tables_print(const struct tables *t, const char *name)
{
	int entity = t->schedule ? -1 : inventory_table(t->catalog, name);
	struct out out;
	int64_t rows;

	if (!t->schedule && entity == -1)
		errx(2, "no table \"%s\" in catalog %s", name, t->catalog->name);
	if (out_open(&out, STDOUT_FILENO, 0) == -1)
		err(1, NULL);
	rows = write_table(t, entity, &out, NULL);
	if (out_close(&out) == -1)
		err(1, "<stdout>");
	tell(t, name, rows);
}

static void
name_file(const struct tables *t, int entity, const char *dir, char *path, size_t size)
{
	static const char *const ending[] = { [INVENTORY_JSON] = "ndjson",
		[INVENTORY_CSV] = "csv",
		[INVENTORY_TSV] = "txt",
		[INVENTORY_JSONAPI] = "jsonapi",
		[INVENTORY_COPY] = "copy" };
	char table[256], file[512];

	if (entity == -1)
		(void)snprintf(file, sizeof(file), "deployment_schedule.json");
	else {
		inventory_name(t->catalog, entity, table, sizeof(table));
		(void)snprintf(file, sizeof(file), "%02d_%s.%s", entity + 1, table, t->form.array ? "json" : ending[t->form.format]);
	}
	if ((size_t)snprintf(path, size, "%s/%s", dir, file) >= size)
		errx(1, "%s: %s", dir, strerror(ENAMETOOLONG));
}

/* A file that is there is named for the handler before a signal is seen. */
static void
open_file(struct file *file, const char *path, char part[PATH_SIZE], const sigset_t *caught)
{
	(void)sigprocmask(SIG_BLOCK, caught, NULL);
	if (file_open(file, path) == -1 && errno == EWOULDBLOCK)
		errx(1, "%s: another program is writing it", path);
	if (file->fd == -1)
		err(1, "%s", path);
	(void)strlcpy(part, file->part, PATH_SIZE);
	unfinished = part;
	(void)sigprocmask(SIG_UNBLOCK, caught, NULL);
}

static void
save(const struct tables *t, int entity, const char *dir, const sigset_t *caught)
{
	char path[PATH_SIZE - 8], part[PATH_SIZE];
	struct file file;
	struct out out;
	int64_t rows;

	name_file(t, entity, dir, path, sizeof(path));
	open_file(&file, path, part, caught);
	if (out_open(&out, dup(file.fd), 0) == -1)
		err(1, NULL);
	rows = write_table(t, entity, &out, &file);
	if (out_close(&out) == -1) {
		file_drop(&file);
		err(1, "%s", path);
	}
	if (file_done(&file) == -1)
		err(1, "%s", path);
	unfinished = NULL;
	tell(t, path, rows);
}

void
tables_save(const struct tables *t, const char *dir)
{
	sigset_t caught;

	if (*dir == '\0')
		errx(2, "the name of the folder is empty");
	if (mkdir(dir, 0777) == -1 && errno != EEXIST)
		err(1, "%s", dir);
	catch_signals(&caught);
	for (int e = t->schedule ? -1 : 0; e < (t->schedule ? 0 : t->catalog->nentities); e++)
		save(t, e, dir, &caught);
}
