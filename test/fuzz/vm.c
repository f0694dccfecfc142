/*
 * lib/vm, with any line in any form: what is taken must be sound JSON under the same limits, and what the line was written like must not
 * matter.
 */
#include "vm.h"
#include "fuzz.h"
#include "json.h"

static struct vm vm[3];
static struct json_reader *reader;

static void
open_all(void)
{
	static const char *const keys[] = { "metric", "values", "timestamps" };

	for (int i = 0; i < 3; i++) {
		must(vm_open(&vm[i], (enum vm_input)i) == 0);
		vm[i].oldest = 1000000000000;
		vm[i].newest = 2000000000000;
		vm[i].labels = 5;
		vm[i].name = 8;
		vm[i].value = 12;
	}
	reader = json_reader(keys, 3);
	must(reader != NULL);
}

/* The line that would be sent passes as one of the import. */
static void
check_line(const struct buf *body, const struct vm *v)
{
	struct vm *import = &vm[VM_IMPORT];
	struct json_value found[3];
	const char *why;

	must(body->n > 0 && body->p[body->n - 1] == '\n');
	must(memchr(body->p, '\n', body->n - 1) == NULL);
	must(json_read(reader, body->p, body->n - 1, found, &why) == 0);
	must(vm_record(import, body->p, body->n - 1, NULL) == 0);
	must(import->samples == 1 && v->samples == 1);
}

static void
encode(const struct vm *v, const char *line, size_t n, struct buf *form)
{
	struct batch *b = batch_new();
	struct buf body = { 0 };

	must(b != NULL && buf_put(&b->form, form->p, form->n) == 0 && batch_add(b, 1, line, n, 0, v->key.p, v->key.n) == 0);
	batch_sort(b);
	must(vm_encode(b, &body) == 0);
	check_line(&body, v);
	buf_free(&body);
	batch_free(b);
}

/* A blank before the line is no part of it, and keeps it off the short way. */
static void
same(struct vm *v, const char *line, size_t n, int taken, const struct buf *form)
{
	char *spaced = malloc(n + 1);
	struct buf again = { 0 }, key = { 0 };

	must(spaced != NULL && (!taken || buf_put(&key, v->key.p == NULL ? "" : v->key.p, v->key.n) == 0));
	spaced[0] = ' ';
	memcpy(spaced + 1, line, n);
	must((vm_record(v, spaced, n + 1, &again) == 0) == taken);
	must(again.n == form->n && (form->n == 0 || memcmp(again.p, form->p, form->n) == 0));
	must(!taken || (v->key.n == key.n && (key.n == 0 || memcmp(v->key.p, key.p, key.n) == 0)));
	free(spaced);
	buf_free(&again);
	buf_free(&key);
}

/* First byte: the form. A line each. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vm *v;

	if (reader == NULL)
		open_all();
	if (size == 0)
		return 0;
	v = &vm[data[0] % 3];
	for (const uint8_t *p = data + 1, *end = data + size, *nl; p < end; p = nl + 1) {
		struct buf form = { 0 };
		char *line;
		int taken;

		if ((nl = memchr(p, '\n', (size_t)(end - p))) == NULL)
			nl = end;
		line = exact(p, (size_t)(nl - p));
		taken = vm_record(v, line, (size_t)(nl - p), &form) == 0;
		must(taken || (form.n == 0 && v->why != NULL));
		if (taken && v->input != VM_IMPORT && form.n > 0)
			encode(v, line, (size_t)(nl - p), &form);
		same(v, line, (size_t)(nl - p), taken, &form);
		free(line);
		buf_free(&form);
	}
	return 0;
}
