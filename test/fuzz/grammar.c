/* lib/grammar: a table and an id, divided by a NUL. What is split must be the id again when it is put together. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "grammar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_split(const struct grammar *g, const char *id, size_t n)
{
	struct grammar_word word[GRAMMAR_TAGS];
	const char *at = id;
	char err[256];

	if (grammar_split(g, id, n, word, err, sizeof(err)) == -1) {
		if (strlen(err) == 0)
			abort();
		return;
	}
	for (int i = 0; i < g->nwords; i++) {
		if (word[i].p != at || word[i].n == 0)
			abort();
		at += word[i].n;
		if (i < g->nwords - 1 && *at++ != g->mark[i])
			abort();
	}
	if (at != id + n)
		abort();
	for (int i = 0; i < g->ntags; i++) {
		size_t length = grammar_length(g, i, word);
		char *text = malloc(length + 1);

		if (text == NULL || grammar_put(g, i, word, text) != text + length)
			abort();
		free(text);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size == 0 ? NULL : memchr(data, '\0', size);
	size_t table = nul == NULL ? size : (size_t)(nul - data);
	struct grammar g;
	char path[64], err[256];
	int fd = memfd_create("ids.tsv", 0);

	if (fd == -1 || write(fd, data, table) != (ssize_t)table)
		abort();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (grammar_load(&g, path, "x", err, sizeof(err)) == -1) {
		if (strncmp(err, path, strlen(path)) != 0)
			abort();
	} else {
		if (nul != NULL)
			check_split(&g, (const char *)nul + 1, size - table - 1);
		grammar_free(&g);
	}
	(void)close(fd);
	return 0;
}
