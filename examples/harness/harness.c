/* A test harness that embeds vmm: boots each kernel that is named, all at once, and prints one line of TAP for each.
 *
 *   harness KERNEL [KERNEL...]
 *
 * A kernel passes if its guest ends with status 0 within a minute. One that panics, hangs or takes too long does not.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmm_c.h"

struct test {
  const char* kernel;
  pthread_t thread;
  struct vmm_vm* vm;
  const struct vmm_outcome* outcome; /* NULL: there was no run, and `error` says why */
  char error[512];
};

/* The error is the thread's own, so it is copied on the thread where the call failed. */
static void* run(void* argument) {
  struct test* test = argument;
  struct vmm_config config;
  vmm_config_init(&config, sizeof config);
  config.kernel = test->kernel;
  config.memory_mib = 64;
  config.timeout = 60;
  config.dump_dir = getenv("DUMP_DIR");
  test->vm = vmm_new(&config);
  test->outcome = test->vm == NULL ? NULL : vmm_run(test->vm);
  if (test->outcome == NULL) snprintf(test->error, sizeof test->error, "%s", vmm_last_error());
  return NULL;
}

/* Returns 1 if the test failed. */
static int report(const struct test* test, int number) {
  const struct vmm_outcome* outcome = test->outcome;
  if (outcome == NULL) {
    printf("not ok %d - %s # no run: %s\n", number, test->kernel, test->error);
    return 1;
  }
  const int passed = outcome->has_status && outcome->status == 0;
  printf("%s %d - %s # %s\n", passed ? "ok" : "not ok", number, test->kernel, outcome->summary);
  if (outcome->cause[0] != '\0') printf("# cause: %s\n", outcome->cause);
  for (size_t i = 0; i < outcome->subtest_count; ++i) {
    const struct vmm_subtest* subtest = &outcome->subtests[i];
    printf("# %*s%s: %s\n", 2 * subtest->depth, "", subtest->name, subtest->verdict);
  }
  return !passed;
}

int main(int argc, char** argv) {
  const int count = argc - 1;
  int failed = 0;
  struct test* tests = calloc(argc, sizeof *tests);
  if (tests == NULL) return 1;
  printf("1..%d\n", count);
  for (int i = 0; i < count; ++i) {
    tests[i].kernel = argv[i + 1];
    if (pthread_create(&tests[i].thread, NULL, run, &tests[i]) != 0) return 1;
  }
  for (int i = 0; i < count; ++i) {
    pthread_join(tests[i].thread, NULL);
    failed += report(&tests[i], i + 1);
    vmm_free(tests[i].vm);
  }
  free(tests);
  return failed != 0;
}
