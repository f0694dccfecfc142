/*
 * og-spans: grow each event into its whole tree of calls
 *
 * Standard input: events, in any order; some may be missing. Standard output: each of them, as it came, and behind it the spans below it.
 * They depend on the event's time and trace id, the world, its catalog and the options alone.
 */
#include "help.h"
#include "reader.h"

static void
put_line(struct reader *r, char *line, size_t len)
{
	line[len] = '\n';
	out_put(&r->out, line, len + 1);
}

/* JSON goes on as it came, even what cannot be grown; the root's own columns, in other formats, are written anew. */
static void
grow_line(struct reader *r, char *line, size_t len)
{
	int json = r->format == RENDER_JSON;
	struct render_given given;
	struct sim_request request;
	enum event_found found;
	const char *why;

	found = event_read(r->events, line, len, &request, &given, &why);
	if (found == EVENT_BAD)
		reader_refuse(r, why);
	/* The record of a rollout has no columns of its own here; og-events writes it. */
	if (json)
		put_line(r, line, len);
	if (found != EVENT_REQUEST)
		return;
	sim_grow(&r->s, &request);
	for (uint32_t i = json ? 1 : 0; i < request.nspans; i++)
		out_took(&r->out, render_span(r->d, out_room(&r->out, r->most), &request, i, &given));
}

int
main(int argc, char *argv[])
{
	static struct reader r = {
		.name = "og-spans",
		.usage = "usage: og-spans -w world [-c catalog] [-f format] [-l layout] [-n requests]\n",
		.help = HELP_OG_SPANS,
		.layout = "wide",
	};
	char *line;
	size_t len;

	reader_options(&r, argc, argv, "c:f:hl:n:Vw:");
	reader_filter(&r, RENDER_SPANS, 1);
	while (reader_line(&r, &line, &len))
		grow_line(&r, line, len);
	return reader_end(&r);
}
