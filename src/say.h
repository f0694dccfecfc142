/*
 * What every program says of itself. Both end it; a text that cannot be written ends it with status 1.
 */
#ifndef OG_SAY_H
#define OG_SAY_H

/* Status 0, which was asked for: the usage and the help below it, to standard output. Else the usage alone, to standard error. */
_Noreturn void say_usage(const char *usage, const char *help, int status);
_Noreturn void say_version(const char *program);

#endif
