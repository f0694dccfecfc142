/*
 * og-alarms: what is known of the incidents of a world, by a layout
 *
 * Standard input: a world, unless -w names one. Standard output: a record for each incident, in order of their starts. They depend on the
 * world, its catalog and the options alone.
 */
#include "help.h"
#include "reader.h"

/* The first link that one of its effects is about; -1. */
static int
link_of(const struct world *w, const struct world_incident *x)
{
	for (int i = 0; i < x->neffects; i++)
		if (world_of(&w->cat, x->effect[i].what, x->effect[i].series) == OF_LINK && x->effect[i].nthings > 0)
			return x->effect[i].thing[0];
	return -1;
}

static void
put_incident(struct reader *r, const struct world_incident *x)
{
	const struct render_thing thing = { x->start, x->end, link_of(&r->w, x), -1, -1, -1, NULL, x };

	out_took(&r->out, render_thing(r->d, out_room(&r->out, r->most), &thing));
}

int
main(int argc, char *argv[])
{
	static struct reader r = {
		.name = "og-alarms",
		.usage = "usage: og-alarms [-c catalog] [-f format] [-l layout] [-w world]\n",
		.help = HELP_OG_ALARMS,
		.layout = "alarms",
	};

	reader_options(&r, argc, argv, "c:f:hl:Vw:");
	reader_load(&r);
	reader_render(&r, RENDER_INCIDENTS);
	reader_output(&r);
	reader_head(&r);
	for (int i = 0; i < r.w.nincidents; i++)
		put_incident(&r, &r.w.incident[i]);
	return reader_end(&r);
}
