/* Makes and frees a context, and says which release it runs with. */
#include <damon_c.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    damon_ctx* context = damon_ctx_new();
    if (context == NULL) return 1;
    damon_ctx_free(context);
    printf("%s\n", damon_version_string());
    return strcmp(damon_version_string(), WANTED_VERSION) == 0 ? 0 : 2;
}
