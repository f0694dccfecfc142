/*
 * og-apipush: load documents into a REST server of JSON:API
 *
 * Standard input: documents, one a line, in the order in which their types depend on each other. Standard output: nothing. What arrives
 * depends on the input, the options and the server; the exit status says whether all of it did.
 */
#include <err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "catalog.h"
#include "help.h"
#include "pusher.h"

#define MEDIA_TYPE "application/vnd.api+json"

static struct opts {
	const char *catalog, *method;
} opts = { .method = "POST" };

struct apipush {
	struct pusher p;
	struct api api;
	char *url, *query; /* what stands before and behind the path of a document */
};

static int
check(void *arg, struct push_line *l)
{
	struct apipush *a = ((struct pusher *)arg)->own;

	return api_line(&a->api, l);
}

static int
encode(void *arg, struct batch *b, struct buf *to)
{
	struct apipush *a = ((struct pusher *)arg)->own;

	return api_encode(&a->api, b, to);
}

static void
answer(void *arg, const struct batch *b, const struct push_answer *said, struct push_reply *reply)
{
	struct apipush *a = ((struct pusher *)arg)->own;

	api_answer(&a->api, b, said, reply);
}

static void
set_option(struct pusher *p, int c)
{
	switch (c) {
	case 'c':
		opts.catalog = optarg;
		break;
	case 'm':
		opts.method = optarg;
		break;
	default:
		if (!pusher_option(p, c, optarg))
			pusher_usage(p, 2);
	}
}

/* Types whose documents are pairs stand beside the catalog's own tables. */
static void
load_pairs(struct apipush *a)
{
	struct catalog *c = malloc(sizeof(*c));
	char path[4096], why[512];

	if (c == NULL)
		err(1, NULL);
	if (catalog_load(c, opts.catalog, why, sizeof(why), NULL, NULL) == -1)
		errx(2, "%s", why);
	if (catalog_beside(c, "pairs", path, sizeof(path)) == -1)
		errx(2, "%s: no table pairs.tsv", opts.catalog);
	if (api_pairs(&a->api, path, why, sizeof(why)) == -1)
		errx(2, "%s", why);
	catalog_free(c);
	free(c);
}

static void
open_api(struct apipush *a, const char *base)
{
	size_t n;

	if (strcmp(opts.method, "POST") != 0 && strcmp(opts.method, "PATCH") != 0)
		errx(2, "-m %s: POST or PATCH", opts.method);
	if (a->p.set.settle != 0)
		errx(2, "-W: what such a server has answered for is stored");
	if (a->p.set.pack != PACK_NONE)
		errx(2, "-z: such servers do not tell which forms they understand");
	if (a->p.verify)
		errx(2, "-y: such servers do not tell how much they hold");
	if (api_open(&a->api) == -1)
		err(1, NULL);
	if (opts.catalog != NULL)
		load_pairs(a);
	a->api.patch = *opts.method == 'P' && opts.method[1] == 'A';
	a->url = pusher_url(base, "", NULL);
	n = strcspn(a->url, "?");
	if ((a->query = strdup(a->url + n)) == NULL)
		err(1, NULL);
	if (a->url[n - 1] == '/')
		n--;
	a->url[n] = '\0';
	a->p.set.url = a->url;
	a->api.query = a->query;
}

int
main(int argc, char *argv[])
{
	static const struct option longs[] = {
		{ "catalog", required_argument, NULL, 'c' },
		{ "method", required_argument, NULL, 'm' },
		PUSHER_OPTIONS,
		{ NULL, 0, NULL, 0 },
	};
	static const char *const header[] = { "Accept: " MEDIA_TYPE, NULL };
	struct apipush a = {
		.p = {
			.name = "og-apipush",
			.usage = "usage: og-apipush [-c catalog] [-m method]\n" PUSHER_USAGE,
			.help = HELP_OG_APIPUSH,
			.set = { .type = MEDIA_TYPE,
			    .header = header,
			    .bytes = 1024 * 1024,
			    .records = 100,
			    .connections = 8,
			    .wait = 1000,
			    .drain = 30000 },
			.user = { .check = check, .encode = encode, .answer = answer },
		},
	};
	char target[64];
	int letter, status;

	a.p.own = &a;
	while ((letter = getopt_long(argc, argv, "c:m:" PUSHER_LETTERS, longs, NULL)) != -1)
		set_option(&a.p, letter);
	if (argc - optind != 1)
		pusher_usage(&a.p, 2);
	open_api(&a, argv[optind]);
	(void)snprintf(target, sizeof(target), "%s%s", opts.method, opts.catalog == NULL ? "" : " pairs");
	status = pusher_run(&a.p, argv[optind], target);
	if (a.api.there > 0 && a.p.verbose)
		pusher_say(&a.p, "there already: %" PRIu64, a.api.there);
	api_close(&a.api);
	free(a.query);
	free(a.url);
	return pusher_end(&a.p, status);
}
