/*
 * Questions to VictoriaMetrics before the first sample and behind the last one.
 */
#include <stdlib.h>
#include <string.h>

#include "vm.h"

/*
 * Versions before 1.114 take bodies in zstd, store nothing, and answer 204. Line protocol shows which it is: versions since 1.105 refuse a
 * bad line there, and a body that they cannot unpack is one.
 */
int
vm_ask_zstd(struct push *push, const char *lines)
{
	const struct push_question bad = { .url = lines, .body = "bad\n", .len = 4, .type = "text/plain" };
	const struct push_question empty = { .url = lines, .body = "\n", .len = 1, .type = "text/plain", .packed = 1 };
	struct push_answer a;

	if (push_ask(push, &bad, &a) == -1)
		return -1;
	if (a.status != 400)
		return 0;
	if (push_ask(push, &empty, &a) == -1)
		return -1;
	return a.status == 204;
}

/* A snapshot that cannot be had is not worth waiting for. */
static enum push_verdict
any(const struct push_answer *a)
{
	(void)a;
	return PUSH_TAKEN;
}

/* The name of the snapshot in an answer. 0, or -1 */
static int
read_name(const char *body, char name[VM_SNAPSHOT])
{
	static const char head[] = "\"snapshot\":\"";
	const char *at = strstr(body, head);
	size_t n;

	if (at == NULL)
		return -1;
	at += sizeof(head) - 1;
	n = strspn(at, "0123456789ABCDEFabcdef-");
	if (n == 0 || n >= VM_SNAPSHOT || at[n] != '"')
		return -1;
	memcpy(name, at, n);
	name[n] = '\0';
	return 0;
}

int
vm_ask_snapshot(struct push *push, const char *create, const char *delete, char left[VM_SNAPSHOT])
{
	const struct push_question first = { .url = create, .verdict = any };
	struct push_question last = { .verdict = any };
	struct push_answer a;
	const char *errstr;
	char *url;

	left[0] = '\0';
	if (push_ask(push, &first, &a) == -1 || a.status != 200 || read_name(a.body, left) == -1)
		return -1;
	last.url = url = push_url(delete, "", (const char *const[]){ "snapshot", left, NULL }, &errstr);
	if (url != NULL && push_ask(push, &last, &a) == 0 && a.status == 200)
		left[0] = '\0';
	free(url);
	return 0;
}
