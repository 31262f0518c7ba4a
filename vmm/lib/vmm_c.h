/* vmm as a library, for C and for what can call C. It does the same as libvmm.h, whose comments say what a run uses of
 * the process and what each field means. No function throws, exits or prints.
 *
 *   struct vmm_config config;
 *   vmm_config_init(&config, sizeof config);
 *   config.kernel = "bzImage";
 *   struct vmm_vm *vm = vmm_new(&config);
 *   const struct vmm_outcome *outcome = vm == NULL ? NULL : vmm_run(vm);
 *   if (outcome == NULL) fprintf(stderr, "%s\n", vmm_last_error());
 *   ...
 *   vmm_free(vm);
 *
 * Later versions may add fields at the ends of the structures, and functions. */
#ifndef VMM_LIB_VMM_C_H_
#define VMM_LIB_VMM_C_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Sees the bytes of a stream, or one message (with no newline, not terminated). Called on threads of the run; it must
 * not block for long, and may call only vmm_cancel(). */
typedef void (*vmm_listener)(void* user, const char* bytes, size_t size);

/* Texts end with NUL. NULL and "" mean the same: none. Lists end with NULL; NULL: an empty list. */
struct vmm_config {
  size_t size; /* set by vmm_config_init() */
  const char* kernel;
  const char* initrd;
  const char* command_line;
  const char* const* program; /* then its arguments */
  const char* const* files;   /* by twos: on the host, in the guest */
  const char* const* environment;
  const char* const* modules;
  const char* modules_folder;
  const char* working_folder;
  const char* input;
  size_t input_size; /* bytes of input, which may hold NUL */
  uint64_t memory_mib;
  int cpus;
  double timeout;    /* seconds; 0: none */
  double hang_after; /* seconds; 0: hangs are not looked for */
  const char* dump_dir;
  int dump_level;
  size_t keep_bytes;
  vmm_listener on_console;
  vmm_listener on_stdout;
  vmm_listener on_stderr;
  vmm_listener on_message;
  void* user; /* given to the listeners */
};

/* The beginning of what a stream wrote. `bytes` ends with a NUL that is not counted, and may hold others. */
struct vmm_stream {
  const char* bytes;
  size_t size;
  uint64_t dropped; /* bytes after those */
};

/* A test, after its parent. */
struct vmm_subtest {
  const char* name;
  const char* verdict;
  const char* message;
  int failed;
  int depth; /* 0: outermost */
};

/* No text is NULL. */
struct vmm_outcome {
  const char* outcome; /* "power-off", "guest-exit", "panic", ... */
  int exit_code;
  int has_status;
  uint32_t status; /* if has_status */
  const char* summary;
  const char* cause;
  const char* signature;
  struct vmm_stream console;
  struct vmm_stream stdout_stream;
  struct vmm_stream stderr_stream;
  const char* dump_path;
  const char* record;
  const char* junit;
  const struct vmm_subtest* subtests;
  size_t subtest_count;
};

struct vmm_vm;

/* Fills `config` with the defaults. `size` is sizeof *config. */
void vmm_config_init(struct vmm_config* config, size_t size);

/* A machine for one run, or NULL. Copies all of `config`. */
struct vmm_vm* vmm_new(const struct vmm_config* config);

/* Runs the guest to its end. The outcome lives as long as `vm`. NULL if there was no run. */
const struct vmm_outcome* vmm_run(struct vmm_vm* vm);

/* Any thread, at any time before vmm_free(). */
void vmm_cancel(struct vmm_vm* vm);

/* `vm` may be NULL. No vmm_run() may be going on. */
void vmm_free(struct vmm_vm* vm);

/* Why the calling thread's last vmm_new() or vmm_run() gave NULL. Valid until its next call. */
const char* vmm_last_error(void);

#ifdef __cplusplus
}
#endif

#endif /* VMM_LIB_VMM_C_H_ */
