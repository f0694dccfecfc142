/* Records that are about no request: things at a time, and incidents. */
#include <string.h>

#include "render_impl.h"

#define HOST_MAX 1024 /* bytes of a name */

char *
render_number(char *to, double x, int places)
{
	uint64_t unit = 1, scaled, rest;
	char *end;

	for (int i = 0; i < places; i++)
		unit *= 10;
	scaled = (uint64_t)((x < 0 ? -x : x) * (double)unit + 0.5);
	if (x < 0 && scaled > 0)
		*to++ = '-';
	to = put_u64(to, scaled / unit);
	if ((rest = scaled % unit) == 0)
		return to;
	*to = '.';
	end = to + 1 + places;
	for (char *p = end; p > to + 1; rest /= 10)
		*--p = (char)('0' + rest % 10);
	while (end[-1] == '0')
		end--;
	return end;
}

static char *
put_value(char *to, double x, int places)
{
	return render_number(to, x, places == -1 ? RENDER_PLACES : places);
}

static char *
put_host(struct render *d, char *to, const struct render_thing *x)
{
	char name[HOST_MAX];

	return catalog_host(d->c, x->service, x->place, x->host, name, sizeof(name)) == -1 ? NULL : render_text(d, to, name);
}

static char *
of_link(struct render *d, const struct step *p, int link, char *to)
{
	const struct catalog_link *l;

	if (link == -1)
		return NULL;
	l = &d->c->link[link];
	switch ((enum catalog_source)p->source) {
	case SRC_LINK_FROM:
		return put_word(to, d->place[l->from]);
	case SRC_LINK_TO:
		return put_word(to, d->place[l->to]);
	case SRC_LINK_RTT:
		return put_value(to, l->rtt_ms, p->places);
	case SRC_LINK_LOSS:
		return put_value(to, l->loss_pct, p->places);
	default:
		return render_text(d, to, l->id);
	}
}

static char *
of_incident(struct render *d, const struct step *p, const struct world_incident *x, char *to)
{
	static const char *const role[] = { [ROLE_CAUSE] = "cause", [ROLE_CONFOUNDER] = "confounder", [ROLE_FIX] = "fix" };

	switch ((enum catalog_source)p->source) {
	case SRC_INCIDENT_TIME:
		return render_time(d, to, x->start, p->arg);
	case SRC_INCIDENT_END:
		return render_time(d, to, x->end, p->arg);
	case SRC_INCIDENT_ID:
		return render_text(d, to, x->id);
	case SRC_INCIDENT_TYPE:
		return x->type[0] == '\0' ? NULL : render_text(d, to, x->type);
	case SRC_INCIDENT_MESSAGE:
		return x->message[0] == '\0' ? NULL : render_text(d, to, x->message);
	case SRC_INCIDENT_COMPONENT:
		return render_text(d, to, x->component);
	default:
		return render_text(d, to, role[x->role]);
	}
}

/* Of the place and the service where it is. */
static char *
of_place(struct render *d, const struct step *p, const struct render_thing *x, char *to)
{
	const struct catalog_service *s = x->service == -1 ? NULL : &d->c->service[x->service];

	if (p->source == SRC_PLACE_ID || p->source == SRC_PLACE_PART)
		return x->place == -1
		    ? NULL
		    : render_text(d, to, p->source == SRC_PLACE_ID ? d->c->place[x->place].id : d->c->place[x->place].part[p->arg]);
	if (s == NULL)
		return NULL;
	switch ((enum catalog_source)p->source) {
	case SRC_SERVICE_PART:
		return render_text(d, to, s->part[p->arg]);
	case SRC_SERVICE_NAME:
		return render_text(d, to, s->name);
	case SRC_SERVICE_GROUP:
		return render_text(d, to, s->group);
	default:
		return render_text(d, to, s->id);
	}
}

char *
render_thing_value(struct render *d, const struct step *p, const struct context *c, char *to)
{
	const struct render_thing *x = c->thing;

	switch ((enum catalog_source)p->source) {
	case SRC_TIME:
		return render_time(d, to, x->time, p->arg);
	case SRC_SERIES:
		return put_value(to, x->value[p->arg], p->places);
	case SRC_LINK_ID:
	case SRC_LINK_FROM:
	case SRC_LINK_TO:
	case SRC_LINK_RTT:
	case SRC_LINK_LOSS:
	case SRC_INCIDENT_LINK:
		return of_link(d, p, x->link, to);
	case SRC_INCIDENT_TIME:
	case SRC_INCIDENT_END:
	case SRC_INCIDENT_ID:
	case SRC_INCIDENT_TYPE:
	case SRC_INCIDENT_MESSAGE:
	case SRC_INCIDENT_COMPONENT:
	case SRC_INCIDENT_ROLE:
		return of_incident(d, p, x->incident, to);
	case SRC_PLACE_ID:
	case SRC_PLACE_PART:
	case SRC_SERVICE_ID:
	case SRC_SERVICE_PART:
	case SRC_SERVICE_NAME:
	case SRC_SERVICE_GROUP:
		return of_place(d, p, x, to);
	case SRC_HOST_ID:
		return put_host(d, to, x);
	case SRC_CONST:
		return render_text(d, to, p->text);
	default:
		return render_drawn(d, to, p, c);
	}
}

char *
render_thing(struct render *d, char *to, const struct render_thing *x)
{
	static const struct sim_span none = { .origin = -1, .blamed = -1, .parent = -1, .code = -1, .release = -1, .link = -1 };
	struct context c = {
		.x = &none, .thing = x, .time = x->time, .place = x->place, .name = x->incident == NULL ? 0 : x->incident->name
	};
	struct program *p = &d->program[0];

	if (p->step == NULL && render_compile(d, p, &(struct example){ .thing = x }) != 0)
		return NULL;
	return render_is_left_out(d, &c) ? to : render_run(d, p, &c, to);
}
