/* A shared object with the static library in it. Also uses what pulls in most of the library. */
#include <damon_c.h>

const char* plugin_version(void) {
    damon_ctx* context = damon_ctx_new();
    damon_start(&context, 1, 0);
    damon_ctx_free(context);
    return damon_version_string();
}
