/*
 * What programs that read a world share: their options, what they open and close, and the lines of events of those that read them.
 *
 *	struct reader r = { .name = "og-logs", .usage = "usage: ...\n", .help = HELP_OG_LOGS, .layout = "lines" };
 *
 *	reader_options(&r, argc, argv, "c:f:hl:n:Vw:");
 *	reader_filter(&r, RENDER_LINES, 0);
 *	while (reader_request(&r, &request, &given))
 *		...
 *	return reader_end(&r);
 *
 * What goes wrong is said, and ends the program: with status 2 before there is output.
 */
#ifndef OG_READER_H
#define OG_READER_H

#include <getopt.h>
#include <stdint.h>

#include "event.h"
#include "out.h"
#include "rec.h"
#include "render.h"
#include "sim.h"
#include "world.h"

/* All that there are; a program names the letters of those that it takes. */
/* clang-format off */
#define READER_OPTIONS \
	{ "begin", required_argument, NULL, 'b' }, \
	{ "catalog", required_argument, NULL, 'c' }, \
	{ "end", required_argument, NULL, 'e' }, \
	{ "format", required_argument, NULL, 'f' }, \
	{ "help", no_argument, NULL, 'h' }, \
	{ "shard", required_argument, NULL, 'k' }, \
	{ "layout", required_argument, NULL, 'l' }, \
	{ "requests", required_argument, NULL, 'n' }, \
	{ "version", no_argument, NULL, 'V' }, \
	{ "world", required_argument, NULL, 'w' }
/* clang-format on */

struct reader {
	const char *name;  /* of the program */
	const char *usage; /* a line or two */
	const char *help;  /* the lines of -h below it */
	/* The options. */
	const char *catalog, *world, *layout; /* NULL: not given */
	int64_t begin, end;                   /* us; -1: not given */
	uint64_t requests;                    /* 0: those of the world */
	uint64_t shard, shards;               /* the first is 1 */
	enum render_format format;
	/* What is open, and what became of it. */
	struct world w;
	struct sim s;
	struct render *d; /* NULL: without a layout */
	struct event_reader *events;
	struct rec in;
	struct out out;
	size_t most; /* bytes of a record of d */
	int status;  /* of the program */
};

/* Take all options of `letters`; operands there are none. */
void reader_options(struct reader *, int argc, char *argv[], const char *letters);
/*
 * The same for a program that has some of its own: the next of those, with its value in optarg, or -1 behind the last.
 *   own   at most 8, and one without a name at the end
 */
int reader_option(struct reader *, int argc, char *argv[], const char *letters, const struct option *own);
_Noreturn void reader_usage(const struct reader *, int status);

/* The world, with its warning. */
void reader_load(struct reader *);
/* The layout's index in the catalog of the world. */
int reader_layout(const struct reader *);
/* The simulation, and the layout for records of this kind. */
void reader_render(struct reader *, enum render_kind);
/* Standard output. */
void reader_output(struct reader *);
/* Standard input: any lines; or events of this simulation, in a layout by its index or, -1, in any. */
void reader_lines(struct reader *);
void reader_events(struct reader *, struct sim *, int layout);
/* What stands above all records of the layout. */
void reader_head(struct reader *);
/* All of these for a program that makes records of events: of lines in any layout or, `own`, in that of the records. */
void reader_filter(struct reader *, enum render_kind, int own);
/* The time asked for, as far as it is in the world: [from, to); from >= to: none of it. */
void reader_time(const struct reader *, int64_t *from, int64_t *to);

/* Say what is wrong with the line last read: status 1. */
void reader_refuse(struct reader *, const char *what);
/* The next line; 0: there is none, or nobody takes what is written. */
int reader_line(struct reader *, char **line, size_t *len);
/* The request of the next line that is one; lines that cannot be read are refused. 0 as above. */
int reader_request(struct reader *, struct sim_request *, struct render_given *);

/* Close all, standard output with it. The exit status. */
int reader_end(struct reader *);

#endif
