/*
 * A world of any lines: refused with a message that says where, or sound, with the same lines whoever reads it. A first byte below 128 puts
 * good lines before it, so that what follows is read at all.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "json.h"
#include "world.h"

#define BASE "test/catalogs/orders"
static const char good[] =
    "{\"kind\":\"world\",\"format\":1,\"catalog\":\"orders\",\"catalog_digest\":\"0\",\"seed\":1,\"begin\":\"2026-03-02\","
    "\"end\":\"2026-03-09\",\"users\":1,\"requests\":1,\"requests_until\":\"2026-03-09\",\"depth\":1,\"level\":\"\"}\n"
    "{\"kind\":\"place\",\"id\":\"north\"}\n"
    "{\"kind\":\"service\",\"id\":\"stock\"}\n"
    "{\"kind\":\"component\",\"id\":\"c\",\"services\":[\"stock\"]}\n"
    "{\"kind\":\"deployment\",\"id\":\"d\",\"service\":\"stock\",\"place\":\"north\"}\n";

static int
stream(const char *head, const uint8_t *data, size_t size)
{
	int fd = memfd_create("world", 0);

	must(fd != -1 && write(fd, head, strlen(head)) == (ssize_t)strlen(head) && write(fd, data, size) == (ssize_t)size &&
	    lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static int
count(const char *line, size_t len, void *arg)
{
	int *lines = arg;

	must(utf8_valid(line, len));
	++*lines;
	return 0;
}

static void
look_at_effect(const struct world *w, const struct world_effect *e)
{
	must(e->factor >= 0 && e->add >= 0 && (e->what != EFFECT_TRAFFIC || e->factor <= 1) &&
	    (e->what != EFFECT_ERRORS || (e->add <= 1 && e->ncodes > 0)));
	for (int i = 0; i < e->ncodes; i++)
		must(e->code[i] >= 0 && e->code[i] < w->cat.ncodes);
	for (int i = 0; i < e->ntargets; i++)
		must(e->target[i].service >= -1 && e->target[i].service < w->cat.nservices &&
		    (e->target[i].service != -1 || e->target[i].op != NULL));
}

static void
look_at(const struct world *w)
{
	int sum = 0, n;

	must(w->begin < w->end && w->begin < w->until && w->users > 0 && w->requests > 0 && world_limits(w) == NULL);
	for (int s = 0; s < w->cat.nservices; s++)
		for (int p = 0; p < w->cat.nplaces; p++) {
			(void)world_releases(w, s, p, &n);
			sum += n;
		}
	must(sum == w->nreleases);
	for (int i = 0; i < w->nreleases; i++)
		must(w->release[i].created <= w->release[i].from && w->release[i].from <= w->release[i].to && w->release[i].id[0] != '\0');
	for (int i = 0; i < w->nrollouts; i++) {
		const struct world_rollout *r = &w->rollout[i];

		must(r->release >= 0 && r->release < w->nreleases && w->release[r->release].place == r->place && r->start <= r->end);
		must(r->traffic >= 0 && r->traffic <= 1 && r->errors >= 0 && r->errors <= 1 && r->latency >= 0);
	}
	for (int i = 0; i < w->nincidents; i++) {
		const struct world_incident *x = &w->incident[i];

		must(x->start < x->end && x->ramp >= 0 && x->ramp <= (x->end - x->start) / 2);
		must(i == 0 || w->incident[i - 1].start <= x->start);
		for (int k = 0; k < x->nplaces; k++)
			must(x->place[k] >= 0 && x->place[k] < w->cat.nplaces);
		for (int k = 0; k < x->neffects; k++)
			look_at_effect(w, &x->effect[k]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char err[200];
	struct world w;
	struct rec in;
	int fd, lines = 0;

	if (size == 0)
		return 0;
	must(setenv("OG_SHARE", "share/og", 1) == 0);
	fd = stream(data[0] < 128 ? good : "", data + 1, size - 1);
	must(rec_open(&in, fd, "w", NULL, 4096) == 0);
	if (world_read_each(&w, &in, BASE, count, &lines, err, sizeof(err)) == 0) {
		must(lines >= 1);
		look_at(&w);
		world_free(&w);
	} else
		must(strncmp(err, "w:", 2) == 0 && utf8_valid(err, strlen(err)));
	rec_close(&in);
	(void)close(fd);
	return 0;
}
