/* For the parts of vm alone. */
#ifndef OG_VM_IMPL_H
#define OG_VM_IMPL_H

#include "vm.h"

/* What all versions keep that do not tell: the least of those since 1.79. */
#define VM_LABELS 30
#define VM_NAME 256
#define VM_VALUE 4096
#define VM_LINE_SENT (10 * 1024 * 1024)

int vm_refuse(struct vm *, const char *why);
/* The rules for labels have changed. */
void vm_forget(struct vm *);
/* `"__name__":"metric"` behind the first nlabels bytes of v->key; metric without quotes. */
int vm_put_name(struct vm *, const char *metric, size_t n);
/* Is it [a-zA-Z_][a-zA-Z0-9_]*, or the name of a metric, which may hold colons? */
int vm_is_name(const char *s, size_t n, int colon);
/* Is a label of this name put in by the server? */
int vm_is_extra(const struct vm *, const char *name, size_t n);
/* NULL, or why so many labels, so many bytes of a name and of a JSON string are too many. */
const char *vm_too_many(const struct vm *, int labels);
const char *vm_too_long(const struct vm *, size_t name, struct json_value text);
/* NULL, or why this time is not sent. */
const char *vm_bad_time(const struct vm *, int64_t ms);
/* The digits of s[0..n), at most 15, no zero before others. 0 or -1. */
int vm_whole(const char *s, size_t n, int64_t *value);
/* Is it a JSON number that fits into a double? */
int vm_is_number(const char *s, size_t n);
/* Seconds with any number of decimals, cut to ms. 0; -1: no such number, or before the second 1. */
int vm_seconds(const char *s, size_t n, struct vm_time *);
/* A form: time and value as they will be sent. */
int vm_put_form(struct vm *, struct buf *form, const struct vm_time *, const char *value, size_t n);
/* A line of the text format. */
int vm_read_text(struct vm *, const char *line, size_t len, struct buf *form);

#endif
