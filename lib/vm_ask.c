/*
 * Questions to VictoriaMetrics before the first sample and behind the last one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vm.h"

#define PAGE_AGE 1100 /* ms; the server makes its page of metrics once a second */
#define PAGE_TRIES 3

int
vm_ask_page(struct push *push, const char *url, int fresh, struct push_answer *a)
{
	const struct push_question page = { .url = url };
	const struct timespec age = { .tv_sec = PAGE_AGE / 1000, .tv_nsec = PAGE_AGE % 1000 * 1000000 };

	if (fresh)
		(void)nanosleep(&age, NULL);
	return push_ask(push, &page, a);
}

enum vm_verdict
vm_ask_counts(struct push *push, const char *url, const struct vm_counts *before, uint64_t least, double most, char *said, size_t size)
{
	enum vm_verdict verdict = VM_DIFFERS;
	struct vm_counts now;
	struct push_answer a;

	for (int i = 0; i < PAGE_TRIES && verdict == VM_DIFFERS; i++) {
		if (vm_ask_page(push, url, 1, &a) == -1) {
			(void)snprintf(said, size, "%s", push_error(push));
			return VM_UNKNOWN;
		}
		vm_count(a.status == 200 ? a.body : "", &now);
		verdict = vm_compare(before, &now, least, most, said, size);
	}
	return verdict;
}

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
