/* libgsextra.so.1: like libgsdemo, but only services started with --also-extra load it. */
static const char version[64] = GS_VERSION;

const char *gs_extra_version(void) { return version; }
