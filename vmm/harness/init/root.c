#include "vmm/harness/init/root.h"

#include <linux/mount.h>
#include <linux/utsname.h>
#include <stdbool.h>

#include "vmm/harness/channel.h"
#include "vmm/harness/init/syscalls.h"

#define TREE "/.vmm/tree"
#define CHANGES "/.vmm/changes"
#define OVERLAY "/.vmm/root"
#define LAYERS "lowerdir=" TREE ",upperdir=" CHANGES "/upper,workdir=" CHANGES "/work"

static long mount(const char* what, const char* at, const char* type, unsigned long flags, const char* data) {
  return call5(__NR_mount, (long)what, (long)at, (long)type, (long)flags, (long)data);
}

static void make_folder(const char* path) { call3(__NR_mkdir, (long)path, 0755, 0); }

static struct RootFailure done(long error, const char* step) {
  const struct RootFailure result = {error < 0 ? error : 0, step};
  return result;
}

static struct RootFailure mount_overlay(void) {
  make_folder(CHANGES);
  make_folder(OVERLAY);
  const long memory = mount("changes", CHANGES, "tmpfs", 0, "mode=755");
  if (memory < 0) return done(memory, "tmpfs");
  make_folder(CHANGES "/upper");
  make_folder(CHANGES "/work");
  // Inode numbers of one lower layer need no layer's number in front. Old kernels do not know the option.
  long error = mount("overlay", OVERLAY, "overlay", 0, LAYERS ",xino=off");
  if (error < 0) error = mount("overlay", OVERLAY, "overlay", 0, LAYERS);
  return done(error, "overlay");
}

// Takes what is mounted at `name` to the same place below the current folder.
static void move_here(const char* name) {
  make_folder(name + 1);
  if (mount(name, name + 1, NULL, MS_MOVE, NULL) < 0) mount(name, name + 1, NULL, MS_BIND | MS_REC, NULL);
}

// Only those of the running kernel can be loaded, so without them the folder seems empty.
static void hide_foreign_modules(void) {
  static struct new_utsname kernel;
  static char path[sizeof "/lib/modules/" + sizeof kernel.release] = "/lib/modules/";
  call1(__NR_uname, (long)&kernel);
  memcpy(path + length_of(path), kernel.release, length_of(kernel.release) + 1);
  if (call3(__NR_access, (long)path, 0, 0) < 0) mount("none", "/lib/modules", "tmpfs", MS_RDONLY, "mode=755");
}

struct RootFailure enter_root(const char* described) {
  const char changes = described[0];
  const bool empty_tmp = described[1] == kRootEmptyTmp;
  make_folder(TREE);
  const long shared = mount(described + 2, TREE, "virtiofs", changes == kRootWritable ? 0 : MS_RDONLY, NULL);
  if (shared < 0) return done(shared, "virtiofs");
  if (changes == kRootOverlay) {
    const struct RootFailure overlay = mount_overlay();
    if (overlay.error != 0) return overlay;
  }
  const long entered = call1(__NR_chdir, (long)(changes == kRootOverlay ? OVERLAY : TREE));
  if (entered < 0) return done(entered, "its folder");

  move_here("/dev");
  move_here("/proc");
  move_here("/sys");
  mount("none", "run", "tmpfs", 0, "mode=755");
  if (empty_tmp) mount("none", "tmp", "tmpfs", 0, NULL);
  if (changes == kRootReadOnly) mount("none", "var/tmp", "tmpfs", 0, NULL);
  // The first root of a kernel can neither be left by pivot_root(2) nor be unmounted: it is covered.
  long error = mount(".", "/", NULL, MS_MOVE, NULL);
  if (error == 0) error = call1(__NR_chroot, (long)".");
  if (error == 0) error = call1(__NR_chdir, (long)"/");
  if (error < 0) return done(error, "change of the root");
  hide_foreign_modules();
  return done(0, "");
}
