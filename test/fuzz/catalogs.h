/* Catalogs of which one table has any bytes. */
#ifndef OG_FUZZ_CATALOGS_H
#define OG_FUZZ_CATALOGS_H

#include "catalog_impl.h"
#include "fuzz.h"

/*
 * The first line is the name of a table and that of a catalog, `series cables`; the rest is the table, a copy to be freed. What is no name
 * is some name.
 *   return   folder of the catalog; fuzz.sh makes that of the depot
 */
static inline const char *
catalogs_bytes(struct catalog_bytes *b, const uint8_t *data, size_t size)
{
	static const char *const folder[] = { "test/catalogs/orders", "test/catalogs/cables", "build/fuzz/depot" };
	const uint8_t *line = size == 0 ? NULL : memchr(data, '\n', size);
	size_t n = line == NULL ? 0 : (size_t)(line - data), at = line == NULL ? 0 : n + 1, table = n % NTABLES, base = n % 3;

	for (size_t t = 0; t < NTABLES; t++) {
		const char *name = catalog_table_name((enum table)t);

		if (n >= strlen(name) && memcmp(name, data, strlen(name)) == 0)
			table = t;
	}
	for (size_t i = 0; i < 3; i++) {
		const char *name = strrchr(folder[i], '/') + 1;

		if (n >= strlen(name) && memcmp(name, data + n - strlen(name), strlen(name)) == 0)
			base = i;
	}
	b->name = catalog_table_name((enum table)table);
	b->n = size - at;
	b->data = exact(data + at, b->n);
	return folder[base];
}

#endif
