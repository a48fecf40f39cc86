#include <damon_c.h>

int main(void) { return damon_version() == 0; }
