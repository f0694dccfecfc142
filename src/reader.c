#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "num.h"
#include "reader.h"
#include "say.h"

#define ERROR_MAX 4096
#define OWN_MAX 8

/* ---- options ---- */

_Noreturn void
reader_usage(const struct reader *r, int status)
{
	say_usage(r->usage, r->help, status);
}

static int64_t
parse_time(const char *name, const char *text)
{
	int64_t us;

	if (clock_parse(text, strlen(text), &us) == -1)
		errx(2, "%s: \"%s\" is not a time such as 2025-12-03T12:20:00Z", name, text);
	return us;
}

static enum render_format
parse_format(const char *text)
{
	int format = render_format(text);

	if (format == -1)
		errx(2, "no format \"%s\": json, csv or tsv", text);
	return (enum render_format)format;
}

static void
parse_shard(struct reader *r, const char *text)
{
	const char *slash = strchr(text, '/'), *e = NULL;
	char first[32];

	if (slash == NULL || (size_t)(slash - text) >= sizeof(first))
		errx(2, "shard \"%s\" is not K/N", text);
	memcpy(first, text, (size_t)(slash - text));
	first[slash - text] = '\0';
	if (num_u64(slash + 1, 1, UINT32_MAX, &r->shards, &e) == -1)
		errx(2, "number of shards is %s: %s", e, slash + 1);
	if (num_u64(first, 1, r->shards, &r->shard, &e) == -1)
		errx(2, "shard is %s: %s", e, text);
}

static void
parse_requests(struct reader *r, const char *text)
{
	const char *e;

	if (num_u64(text, 1, WORLD_REQUESTS_MAX, &r->requests, &e) == -1)
		errx(2, "number of requests is %s: %s", e, text);
}

/* 1; 0: it is none of these. */
static int
set_option(struct reader *r, int letter, const char *value)
{
	switch (letter) {
	case 'b':
		r->begin = parse_time("begin", value);
		return 1;
	case 'c':
		r->catalog = value;
		return 1;
	case 'e':
		r->end = parse_time("end", value);
		return 1;
	case 'f':
		r->format = parse_format(value);
		return 1;
	case 'h':
		reader_usage(r, 0);
	case 'k':
		parse_shard(r, value);
		return 1;
	case 'l':
		r->layout = value;
		return 1;
	case 'n':
		parse_requests(r, value);
		return 1;
	case 'V':
		say_version(r->name);
	case 'w':
		if (*value == '\0')
			errx(2, "the name of the world is empty");
		r->world = value;
		return 1;
	default:
		return 0;
	}
}

int
reader_option(struct reader *r, int argc, char *argv[], const char *letters, const struct option *own)
{
	static const struct option all[] = { READER_OPTIONS };
	struct option longs[sizeof(all) / sizeof(all[0]) + OWN_MAX + 1] = { 0 };
	size_t n = 0;
	int letter;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strchr(letters, all[i].val) != NULL)
			longs[n++] = all[i];
	for (; own->name != NULL; own++)
		longs[n++] = *own;
	if (r->shards == 0) { /* the first call */
		r->begin = r->end = -1;
		r->shard = r->shards = 1;
	}
	do {
		letter = getopt_long(argc, argv, letters, longs, NULL);
		if (letter == '?')
			reader_usage(r, 2);
	} while (letter != -1 && set_option(r, letter, optarg));
	if (letter == -1 && argc > optind)
		reader_usage(r, 2);
	if (letter == -1 && r->begin != -1 && r->end != -1 && r->begin >= r->end)
		errx(2, "begin is not before end");
	return letter;
}

void
reader_options(struct reader *r, int argc, char *argv[], const char *letters)
{
	static const struct option none[] = { { NULL, 0, NULL, 0 } };

	(void)reader_option(r, argc, argv, letters, none);
}

/* ---- what is open ---- */

void
reader_load(struct reader *r)
{
	char text[ERROR_MAX];

	if (world_load(&r->w, r->world, r->catalog, text, sizeof(text)) == -1)
		errx(2, "%s", text);
	if (r->w.warning != NULL)
		warnx("%s", r->w.warning);
}

int
reader_layout(const struct reader *r)
{
	int layout = catalog_layout(&r->w.cat, r->layout, strlen(r->layout));

	if (layout < 0)
		errx(2, "no layout \"%s\" in catalog %s", r->layout, r->w.cat.name);
	return layout;
}

void
reader_render(struct reader *r, enum render_kind kind)
{
	char text[ERROR_MAX];
	int layout = reader_layout(r);

	if (sim_open(&r->s, &r->w, r->requests, text, sizeof(text)) == -1 ||
	    (r->d = render_open(&r->s, layout, kind, r->format, text, sizeof(text))) == NULL)
		errx(2, "%s", text);
	r->s.whole = render_whole(r->d);
	r->s.spare = render_spare(r->d);
	r->most = render_most(r->d);
}

void
reader_output(struct reader *r)
{
	if (out_open(&r->out, STDOUT_FILENO, 0) == -1)
		err(1, NULL);
}

void
reader_lines(struct reader *r)
{
	if (rec_open(&r->in, STDIN_FILENO, "<stdin>", &r->out, 0) == -1)
		err(1, NULL);
}

void
reader_events(struct reader *r, struct sim *s, int layout)
{
	char text[ERROR_MAX];

	if ((r->events = event_open(s, layout, text, sizeof(text))) == NULL)
		errx(2, "%s", text);
	reader_lines(r);
}

void
reader_head(struct reader *r)
{
	out_took(&r->out, render_head(r->d, out_room(&r->out, r->most)));
}

void
reader_time(const struct reader *r, int64_t *from, int64_t *to)
{
	*from = r->begin > r->w.begin ? r->begin : r->w.begin;
	*to = r->end != -1 && r->end < r->w.end ? r->end : r->w.end;
}

void
reader_filter(struct reader *r, enum render_kind kind, int own)
{
	if (r->world == NULL)
		reader_usage(r, 2);
	reader_load(r);
	reader_render(r, kind);
	reader_events(r, &r->s, own ? reader_layout(r) : -1);
	reader_output(r);
	reader_head(r);
}

int
reader_end(struct reader *r)
{
	if (out_close(&r->out) == -1)
		err(1, "<stdout>");
	rec_close(&r->in);
	event_free(r->events);
	if (r->d != NULL) {
		render_free(r->d);
		sim_close(&r->s);
	}
	world_free(&r->w);
	return r->status;
}

/* ---- lines ---- */

void
reader_refuse(struct reader *r, const char *what)
{
	warnx("%s:%llu: %s", r->in.name, (unsigned long long)r->in.line, what);
	r->status = 1;
}

int
reader_line(struct reader *r, char **line, size_t *len)
{
	while (r->out.err == 0) {
		switch (rec_next(&r->in, line, len)) {
		case REC_LINE:
			return 1;
		case REC_LONG:
			reader_refuse(r, "line too long");
			break;
		case REC_END:
			return 0;
		case REC_ERROR:
			if (r->out.err == 0) {
				warn("%s", r->in.name);
				r->status = 1;
			}
			return 0;
		}
	}
	return 0;
}

int
reader_request(struct reader *r, struct sim_request *request, struct render_given *given)
{
	const char *why;
	char *line;
	size_t len;

	while (reader_line(r, &line, &len)) {
		switch (event_read(r->events, line, len, request, given, &why)) {
		case EVENT_BAD:
			reader_refuse(r, why);
			break;
		case EVENT_MARK:
			break;
		case EVENT_REQUEST:
			return 1;
		}
	}
	return 0;
}
