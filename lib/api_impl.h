/* For the parts of api alone. */
#ifndef OG_API_IMPL_H
#define OG_API_IMPL_H

#include "api.h"

/* What a line says; 0, or -1 and a->why. */
int api_read(struct api *, const char *line, size_t len, struct api_document *);
/* The text of an id: a number, or a string of 1 to 1023 bytes without NUL that is no step in a path. 0, or -1 */
int api_id(struct json_value, char id[API_ID + 1]);
/* A member of a relationship behind what is in the buffer, with a comma between, unless it is there. 1: added, 0, or -1 with errno. */
int api_add_member(struct buf *, size_t from, const char *type, const char *id);

#endif
