/* An inventory of a catalog with one table of any bytes: refused by the catalog or the inventory, or its tables are rows of fields. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "catalogs.h"
#include "fuzz.h"
#include "inventory.h"
#include "json.h"

#define MOST 4096 /* bytes of a table, about */

/* A table, as far as it goes into a pipe that nobody empties: its first rows. */
static void
look_at_table(struct inventory *v, const struct catalog *c, int entity, enum inventory_format format)
{
	const struct inventory_form form = { .format = format, .part = 1, .parts = 1 };
	char err[200] = "";
	struct out out;
	int64_t rows;

	must(out_open(&out, open("/dev/full", O_WRONLY), MOST) == 0 && out.fd != -1);
	rows = inventory_put(v, entity, &form, &out, err, sizeof(err));
	must(rows >= 0 || out.err != 0 || (err[0] != '\0' && utf8_valid(err, strlen(err))));
	/* What was not too much is here still. */
	if (rows >= 0 && out.err == 0 && format == INVENTORY_TSV) {
		int64_t lines = 0, tabs = 0;

		for (size_t i = 0; i < out.len; i++) {
			lines += out.buf[i] == '\n';
			tabs += out.buf[i] == '\t';
		}
		must(lines >= rows && tabs >= rows * (c->entity[entity].nproperties - 1));
	}
	(void)out_close(&out);
}

static void
look_at_inventory(const struct catalog *c)
{
	char err[200] = "";
	int64_t end = c->set.begin + 86400000000LL * 30;
	struct inventory *v = inventory_open(c, 7, c->set.begin, end < c->set.end ? end : c->set.end, 1, err, sizeof(err));

	if (v == NULL || inventory_check(v, err, sizeof(err)) == -1)
		must(err[0] != '\0' && utf8_valid(err, strlen(err)));
	else
		for (int e = 0; e < c->nentities; e++)
			for (int format = INVENTORY_JSON; format <= INVENTORY_COPY; format++)
				look_at_table(v, c, e, (enum inventory_format)format);
	inventory_free(v);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog_bytes bytes;
	struct catalog c;
	char err[200];

	must(setenv("OG_SHARE", "share/og", 1) == 0);
	(void)catalogs_bytes(&bytes, data, size);
	if (catalog_load_bytes(&c, "build/fuzz/depot", &bytes, err, sizeof(err), NULL, NULL) == 0 && c.nentities > 0)
		look_at_inventory(&c);
	catalog_free(&c);
	free((char *)(uintptr_t)bytes.data);
	return 0;
}
