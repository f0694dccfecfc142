/*
 * og-logs: the lines that each request writes
 *
 * Standard input: events, in any order and layout; some may be missing. Standard output: for each, what its spans log, in order of cause.
 * They depend on the event's time and trace id, the world, its catalog and the options alone.
 */
#include <err.h>

#include "help.h"
#include "reader.h"

static void
log_request(struct reader *r, struct sim_request *request, const struct render_given *given)
{
	const struct render_line *lines;
	char *end;
	int n;

	sim_grow(&r->s, request);
	if ((n = render_lines(r->d, request, &lines)) == -1)
		err(1, NULL);
	for (int i = 0; i < n; i++) {
		if ((end = render_line(r->d, out_room(&r->out, r->most), request, &lines[i], given)) == NULL)
			err(1, NULL);
		out_took(&r->out, end);
	}
}

int
main(int argc, char *argv[])
{
	static struct reader r = {
		.name = "og-logs",
		.usage = "usage: og-logs -w world [-c catalog] [-f format] [-l layout] [-n requests]\n",
		.help = HELP_OG_LOGS,
		.layout = "lines",
	};
	struct sim_request request;
	struct render_given given;

	reader_options(&r, argc, argv, "c:f:hl:n:Vw:");
	reader_filter(&r, RENDER_LINES, 0);
	while (reader_request(&r, &request, &given))
		log_request(&r, &request, &given);
	return reader_end(&r);
}
